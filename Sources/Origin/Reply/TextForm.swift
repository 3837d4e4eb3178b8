import HTTPTypes
import NIOCore
import Station

/// The form in which a text is sent to one client: the smallest of those that it prefers (RFC 9110, section 12.1).
struct TextForm {
  /// The body.
  let bytes: ByteBuffer
  /// Content-Encoding; `nil` for the plain text.
  let coding: String?
  /// The ETag of this form, in its quotes.
  let etag: String
  /// The request fields that decide the form, for caches.
  let vary: String

  /// The form for a request with these fields.
  static func chosen(_ fields: HTTPFields, of text: EncodedText) -> TextForm {
    let accepted = AcceptedCodings(fields[.acceptEncoding])
    let vary = "Accept-Encoding"
    let best = max(accepted.brotli, accepted.gzip)
    if best == 0 || best < accepted.identity {
      return TextForm(bytes: text.plain, coding: nil, etag: text.etag, vary: vary)
    }
    if accepted.brotli == best {
      return TextForm(bytes: text.brotlied, coding: "br", etag: tag(text, "b"), vary: vary)
    }
    return TextForm(bytes: text.gzipped, coding: "gzip", etag: tag(text, "z"), vary: vary)
  }

  /// The ETags of all forms of a text: whoever has any of them has the text.
  static func etags(of text: EncodedText) -> [String] { [text.etag, tag(text, "z"), tag(text, "b")] }

  /// A strong ETag of one form: forms have different bytes.
  private static func tag(_ text: EncodedText, _ mark: String) -> String { text.etag.dropLast() + mark + "\"" }
}
