import NIOConcurrencyHelpers

/// Who waits for something to be published, by address: over HTTP/2 one connection can ask for a hundred things at once,
/// and the places of those who wait are limited.
package final class WaitLimit: Sendable {
  /// How many may wait for each connection that an address may have: a player has a playlist, a part and events.
  package static let perConnection = 4

  /// The place of one who waits; it is free again when nobody holds it.
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

  /// Nobody waits yet.
  ///
  /// - Parameter limits: of the connections.
  package init(limits: Connections.Limits) { self.limits = limits }

  /// A place for one more from this address; `nil` where it has them all.
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
