import NIOConcurrencyHelpers

/// Counts the requests that are held until something is published, by address, and limits them: over HTTP/2, one
/// connection can make a hundred requests at once.
package final class WaitLimit: Sendable {
  /// How many requests can be held for each connection that an address can have: a player has a playlist, a part and
  /// events.
  package static let perConnection = 4

  /// The place of one held request; free again when it is released.
  package final class Place: Sendable {
    private let waits: WaitLimit
    private let key: String

    fileprivate init(_ waits: WaitLimit, _ key: String) {
      self.waits = waits
      self.key = key
    }

    deinit { waits.leave(key) }
  }

  private let limits: Connections.Limits
  private let addresses = NIOLockedValueBox<[String: Int]>([:])

  /// No request is held yet.
  ///
  /// - Parameter limits: of the connections.
  package init(limits: Connections.Limits) { self.limits = limits }

  /// A place for one more from this address; `nil` if the address has all of its places.
  package func enter(_ address: ClientAddress) -> Place? {
    let most = limits.most(of: address).map { Self.perConnection * $0 } ?? .max
    let isTaken = addresses.withLockedValue { addresses in
      let own = addresses[address.key, default: 0]
      guard own < most else { return false }
      addresses[address.key] = own + 1
      return true
    }
    return isTaken ? Place(self, address.key) : nil
  }

  private func leave(_ key: String) {
    addresses.withLockedValue { addresses in
      let own = addresses[key, default: 1] - 1
      addresses[key] = own > 0 ? own : nil
    }
  }
}
