import Media
import NIOConcurrencyHelpers

/// Remembers when the playlist without parts was last requested: it is made only while somebody uses it.
final class PlainDemand: Sendable {
  /// How long the playlist is made after its last request.
  static let patience = Ticks.seconds(30)

  private let asked = NIOLockedValueBox<Ticks?>(nil)

  /// Notes a request.
  func note(at now: Ticks) { asked.withLockedValue { $0 = now } }

  /// Whether there was a request lately.
  func isWanted(at now: Ticks) -> Bool {
    asked.withLockedValue { asked in asked.map { now - $0 < Self.patience } ?? false }
  }
}
