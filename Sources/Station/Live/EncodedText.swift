import Media
import NIOConcurrencyHelpers
import NIOCore

/// A text as it is sent, made once for all requests: plain, compressed, and with its validator.
///
/// The compressed forms are made when they are first asked for: where all viewers take one, the others cost nothing.
package struct EncodedText: Sendable {
  /// The text.
  package let plain: ByteBuffer
  /// The ETag, in its quotes; a strong one, valid for the plain form.
  package let etag: String
  /// The text as a dictionary for later versions; `nil` if it is none.
  package let dictionary: TextDictionary?
  /// The earlier versions that clients may have as dictionaries, newest first.
  package let earlier: [TextDictionary]
  private let quality: BrotliQuality
  private let forms: Forms

  private final class Forms: Sendable {
    let gzipped = NIOLockedValueBox<ByteBuffer?>(nil)
    let brotlied: NIOLockedValueBox<ByteBuffer?>
    /// By the index of the dictionary.
    let dictionaryCompressed = NIOLockedValueBox<[Int: ByteBuffer]>([:])

    init(brotlied: ByteBuffer?) { self.brotlied = NIOLockedValueBox(brotlied) }
  }

  /// The forms of a text.
  ///
  /// - Parameters:
  ///   - etag: what differs for each content, without quotes.
  ///   - quality: for brotli; `small` for what is made once.
  ///   - brotlied: the brotli form, if it is there already.
  ///   - earlier: the versions before; `nil` if it is no dictionary for those that follow.
  package init(
    _ plain: ByteBuffer, etag: String, quality: BrotliQuality = .quick, brotlied: ByteBuffer? = nil,
    earlier: [TextDictionary]? = nil
  ) {
    self.plain = plain
    self.etag = "\"\(etag)\""
    self.quality = quality
    self.earlier = earlier ?? []
    dictionary = earlier == nil ? nil : TextDictionary(plain)
    forms = Forms(brotlied: brotlied)
  }

  /// The text as a gzip member (RFC 1952).
  package var gzipped: ByteBuffer { Self.kept(in: forms.gzipped) { plain.gzipped() } }

  /// The text as a brotli stream (RFC 7932).
  package var brotlied: ByteBuffer { Self.kept(in: forms.brotlied) { plain.brotlied(quality) } }

  /// The text in the form `dcz`, with the earlier version of this name as dictionary (RFC 9842, section 5).
  ///
  /// - Parameter name: what a client named in `Available-Dictionary`, in the form of `TextDictionary.name`.
  /// - Returns: `nil` if there is no such version any more.
  package func compressed(withDictionary name: String) -> ByteBuffer? {
    guard let index = earlier.firstIndex(where: { $0.name == name }) else { return nil }
    return forms.dictionaryCompressed.withLockedValue { kept in
      if let kept = kept[index] { return kept }
      let made = earlier[index].compress(plain)
      kept[index] = made
      return made
    }
  }

  /// What was made before; otherwise it is made now, while others who want it wait: once, and a playlist's takes less
  /// than a tenth of a millisecond.
  private static func kept(in box: NIOLockedValueBox<ByteBuffer?>, _ make: () -> ByteBuffer) -> ByteBuffer {
    box.withLockedValue { kept in
      if let kept { return kept }
      let made = make()
      kept = made
      return made
    }
  }
}
