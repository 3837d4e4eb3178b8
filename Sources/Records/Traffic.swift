import NIOConcurrencyHelpers

/// The bytes that were sent to viewers since the process started, for each camera and kind of answer. Everything that
/// writes an answer of the public address counts here.
package final class Traffic: Sendable {
  private let counts = NIOLockedValueBox<[String: SentBytes]>([:])

  /// Nothing was sent.
  package init() {}

  /// Counts bytes.
  ///
  /// - Parameters:
  ///   - camera: the name of a camera that exists; empty for what belongs to none.
  package func add(_ bytes: Int, _ kind: AnswerKind, camera: String) {
    guard bytes > 0 else { return }
    counts.withLockedValue { $0[camera, default: SentBytes()][kind] += Int64(bytes) }
  }

  /// All counts, by camera.
  package var sent: [String: SentBytes] { counts.withLockedValue { $0 } }
}
