import Media
import NIOConcurrencyHelpers

/// Remembers when the playlist without parts was last asked for: it is made only while somebody wants it.
final class PlainDemand: Sendable {
  /// How long the playlist is made after it was last asked for.
  static let patience = Ticks.seconds(30)

  private let asked = NIOLockedValueBox<Ticks?>(nil)

  /// Notes that somebody asks for it.
  func note(at now: Ticks) { asked.withLockedValue { $0 = now } }

  /// Whether somebody has asked for it lately.
  func isWanted(at now: Ticks) -> Bool {
    asked.withLockedValue { asked in asked.map { now - $0 < Self.patience } ?? false }
  }
}
