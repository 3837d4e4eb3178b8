import NIOCore

/// Finished answers that were made from what a camera has published, kept for whoever asks for the same until something
/// else is published.
///
/// Its owner guards it with a lock, and empties it with each publication: nothing outlives in here what was withdrawn.
struct KeptAnswers: Sendable {
  /// The most answers: viewers ask for few things and in few forms.
  static let most = 128
  /// The most bytes of them together, with their keys: who asks for the same in ever other words fills no more memory.
  static let mostBytes = 4 << 20

  private var answers: [ByteBuffer: any AnyObject & Sendable] = [:]
  private var bytes = 0
  /// Rises with each publication.
  private(set) var version = 0

  /// The answer to a request; `nil` where it was not made yet.
  subscript(key: ByteBuffer) -> (any AnyObject & Sendable)? { answers[key] }

  /// Keeps an answer that was made from this version, unless it is an old one or there are too many.
  mutating func keep(_ answer: any AnyObject & Sendable, bytes count: Int, for key: ByteBuffer, version: Int) {
    let count = count + key.readableBytes
    guard version == self.version, answers.count < Self.most, bytes + count <= Self.mostBytes else { return }
    answers[key] = answer
    bytes += count
  }

  /// Something else is published.
  mutating func empty() {
    version += 1
    bytes = 0
    if !answers.isEmpty { answers.removeAll(keepingCapacity: true) }
  }
}
