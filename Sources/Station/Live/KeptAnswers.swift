import NIOCore

/// Finished answers that were made from what a camera has published, kept for whoever asks for the same until something
/// else is published.
///
/// Its owner guards it with a lock, and empties it with each publication: nothing outlives in here what was withdrawn.
struct KeptAnswers: Sendable {
  /// The most answers: viewers ask for few things and in few forms.
  static let most = 128

  private var answers: [ByteBuffer: any AnyObject & Sendable] = [:]
  /// Rises with each publication.
  private(set) var version = 0

  /// The answer to a request; `nil` where it was not made yet.
  subscript(key: ByteBuffer) -> (any AnyObject & Sendable)? { answers[key] }

  /// Keeps an answer that was made from this version, unless it is an old one or there are too many.
  mutating func keep(_ answer: any AnyObject & Sendable, for key: ByteBuffer, version: Int) {
    if version == self.version, answers.count < Self.most { answers[key] = answer }
  }

  /// Something else is published.
  mutating func empty() {
    version += 1
    if !answers.isEmpty { answers.removeAll(keepingCapacity: true) }
  }
}
