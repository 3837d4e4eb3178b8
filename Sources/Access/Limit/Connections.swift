import NIOConcurrencyHelpers

/// Counts the connections of one listener, in all and from each address, and holds their limits.
package final class Connections: Sendable {
  /// How many connections a listener accepts.
  package struct Limits: Hashable, Sendable {
    /// From all addresses together.
    package var total: Int
    /// From one address. `nil` is `standardPerAddress` for addresses of the internet and no limit for loopback and
    /// private networks, where proxies are.
    package var perAddress: Int?

    /// These numbers of connections; without `perAddress` the standard one.
    package init(total: Int, perAddress: Int? = nil) {
      self.total = total
      self.perAddress = perAddress
    }

    /// The limit for an address; `nil` for no limit.
    func most(of address: ClientAddress) -> Int? {
      perAddress ?? (address.isLocal ? nil : Connections.standardPerAddress)
    }
  }

  /// The limit for an address of the internet if nothing else is configured.
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

  /// The connections now, and how many were refused since the process started.
  package var counted: (open: Int, turnedAway: Int64) { state.withLockedValue { ($0.count, $0.turnedAway) } }

  /// Whether one more connection from this address is accepted; `leave` must follow.
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

  /// Notes that a connection has ended.
  package func leave(_ address: ClientAddress) {
    state.withLockedValue { state in
      state.count -= 1
      let own = state.addresses[address.key, default: 1] - 1
      state.addresses[address.key] = own > 0 ? own : nil
    }
  }
}
