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
    /// The connections that can be ended for others, and whose sender may prove who it is.
    var known: [ObjectIdentifier: Known] = [:]
    var entries: Int64 = 0

    mutating func add(_ key: String) {
      count += 1
      addresses[key, default: 0] += 1
    }

    mutating func remove(_ key: String) {
      count -= 1
      let own = addresses[key, default: 1] - 1
      addresses[key] = own > 0 ? own : nil
    }

    /// The oldest connection without a proof: of an address, or of the one that has the most of them.
    func oldestUnproven(of address: String?) -> ObjectIdentifier? {
      var counts: [String: Int] = [:]
      for one in known.values where !one.isProven { counts[one.address, default: 0] += 1 }
      let address = address ?? counts.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
      return known.filter { !$0.value.isProven && $0.value.address == address }.min { $0.value.entry < $1.value.entry }?
        .key
    }
  }

  private struct Known {
    let address: String
    let entry: Int64
    let end: @Sendable () -> Void
    var isProven = false
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
      state.add(address.key)
      return true
    }
  }

  /// Accepts one more connection from this address. If there are too many, another ends for it whose sender has not
  /// shown a secret: the oldest of the same address if that has too many, otherwise of the address that has the most of
  /// them. So who has no secret keeps nobody out who has one.
  ///
  /// - Parameters:
  ///   - id: the connection's.
  ///   - end: ends it; called at most once, from any thread.
  /// - Returns: `false` if there are too many and all have shown a secret. Otherwise `leave(_:)` with this identity must
  ///   follow.
  package func enter(_ address: ClientAddress, as id: ObjectIdentifier, end: @escaping @Sendable () -> Void) -> Bool {
    let most = limits.most(of: address) ?? .max
    var gone: (@Sendable () -> Void)?
    let isIn = state.withLockedValue { state in
      let hasMost = state.addresses[address.key, default: 0] >= most
      if hasMost || state.count >= limits.total {
        state.turnedAway += 1
        guard let oldest = state.oldestUnproven(of: hasMost ? address.key : nil),
          let known = state.known.removeValue(forKey: oldest)
        else { return false }
        state.remove(known.address)
        gone = known.end
      }
      state.entries += 1
      state.known[id] = Known(address: address.key, entry: state.entries, end: end)
      state.add(address.key)
      return true
    }
    gone?()
    return isIn
  }

  /// Notes that the sender at a connection has shown a secret: it ends for no other.
  package func prove(_ id: ObjectIdentifier) { state.withLockedValue { $0.known[id]?.isProven = true } }

  /// Notes that a connection has ended that entered with this identity; it may have been ended for another.
  package func leave(_ id: ObjectIdentifier) {
    state.withLockedValue { state in
      if let known = state.known.removeValue(forKey: id) { state.remove(known.address) }
    }
  }

  /// Notes that a connection has ended.
  package func leave(_ address: ClientAddress) {
    state.withLockedValue { $0.remove(address.key) }
  }
}
