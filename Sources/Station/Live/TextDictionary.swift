import Crypto
import Foundation
import Media
import NIOConcurrencyHelpers
import NIOCore

/// A text that clients may have got before, and with which later ones are compressed (RFC 9842).
package final class TextDictionary: Sendable {
  /// What precedes the compressed bytes of `dcz`: a Zstandard frame that decoders skip, for a digest of 32 bytes
  /// (RFC 9842, section 5).
  private static let mark: [UInt8] = [0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0]

  let bytes: ByteBuffer
  private let digested = NIOLockedValueBox<(name: String, prefix: ByteBuffer)?>(nil)

  init(_ bytes: ByteBuffer) { self.bytes = bytes }

  /// The digest as `Available-Dictionary` writes it: SHA-256 in base64 between colons.
  package var name: String { identity.name }

  /// The text compressed with this dictionary, in the form `dcz`.
  func compress(_ text: ByteBuffer) -> ByteBuffer {
    var answer = identity.prefix
    answer.writeImmutableBuffer(text.zstandard(dictionary: bytes))
    return answer
  }

  /// The name, and the first bytes of what is compressed with it; made once somebody names a dictionary.
  private var identity: (name: String, prefix: ByteBuffer) {
    digested.withLockedValue { known in
      if let known { return known }
      let digest = bytes.withUnsafeReadableBytes { SHA256.hash(data: $0) }
      let made = (":\(Data(digest).base64EncodedString()):", ByteBuffer(bytes: Self.mark + digest))
      known = made
      return made
    }
  }
}

/// The texts that viewers of one playlist got last.
struct RecentTexts: Sendable {
  /// A viewer who asks again at once names the text before the last one, because browsers take a while to keep a text.
  /// It is the same number whatever is shown.
  private static let mostPublications = 6

  private var publications: [[TextDictionary]] = []

  /// All of them, newest first.
  var dictionaries: [TextDictionary] { publications.flatMap { $0 } }

  /// Adds what was published at once, newest first: of each state the whole playlist and its delta update.
  mutating func add(_ snapshots: [PlaylistSnapshot]) {
    publications.insert(snapshots.flatMap { [$0.delta, $0.media].compactMap { $0?.dictionary } }, at: 0)
    if publications.count > Self.mostPublications { publications.removeLast() }
  }

  /// Forgets all.
  mutating func removeAll() { publications.removeAll() }
}
