import NIOConcurrencyHelpers

/// The connections of one door: how many there are, in all and from each address, and how many there may be.
package final class Connections: Sendable {
  /// How many connections a door takes.
  package struct Limits: Hashable, Sendable {
    /// From all addresses together.
    package var total: Int
    /// From one address; `nil` takes `standardPerAddress` from addresses of the internet and any number from loopback
    /// and private networks, where proxies stand.
    package var perAddress: Int?

    /// These limits.
    package init(total: Int, perAddress: Int? = nil) {
      self.total = total
      self.perAddress = perAddress
    }

    /// How many an address may have; `nil` for any number.
    func most(of address: ClientAddress) -> Int? {
      perAddress ?? (address.isLocal ? nil : Connections.standardPerAddress)
    }
  }

  /// How many connections an address of the internet may have where nothing else is configured.
  package static let standardPerAddress = 256

  private struct State {
    var count = 0
    var addresses: [String: Int] = [:]
    var turnedAway: Int64 = 0
  }

  /// The limits.
  package let limits: Limits
  private let state = NIOLockedValueBox(State())

  /// No connections yet.
  package init(limits: Limits) { self.limits = limits }

  /// The connections now, and how many were turned away since the process began.
  package var counted: (open: Int, turnedAway: Int64) { state.withLockedValue { ($0.count, $0.turnedAway) } }

  /// Whether one more connection from this address is taken; then `leave` has to follow.
  package func enter(_ address: ClientAddress) -> Bool {
    let most = limits.most(of: address) ?? .max
    return state.withLockedValue { state in
      let own = state.addresses[address.key, default: 0]
      guard state.count < limits.total, own < most else {
        state.turnedAway += 1
        return false
      }
      state.count += 1
      state.addresses[address.key] = own + 1
      return true
    }
  }

  /// A connection that had entered has ended.
  package func leave(_ address: ClientAddress) {
    state.withLockedValue { state in
      state.count -= 1
      let own = state.addresses[address.key, default: 1] - 1
      state.addresses[address.key] = own > 0 ? own : nil
    }
  }
}
