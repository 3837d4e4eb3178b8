import NIOConcurrencyHelpers
import NIOCore

/// The sessions of the operator's page, in memory: they end with the process.
package final class OperatorSessions: Sendable {
  private let table = NIOLockedValueBox(SessionTable())

  /// No sessions.
  package init() {}

  /// Milliseconds that never step back.
  private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }

  /// Begins a session and returns its id.
  ///
  /// - Parameter token: the id of the added token that was shown; empty for the operator's own.
  package func begin(with token: String = "") -> String {
    table.withLockedValue { $0.begin(with: token, now: Self.now) }
  }

  /// Whether this is the id of a session that has not ended.
  package func admits(_ id: some StringProtocol) -> Bool { table.withLockedValue { $0.admits(id, now: Self.now) } }

  /// Ends a session.
  package func end(_ id: some StringProtocol) { table.withLockedValue { $0.end(id) } }

  /// Ends the sessions that were begun with a token that is no longer valid.
  package func endAll(with token: String) { table.withLockedValue { $0.endAll(with: token) } }

  /// How many sessions have not ended.
  package var count: Int { table.withLockedValue { $0.count(now: Self.now) } }
}
