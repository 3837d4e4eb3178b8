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
  /// Use-As-Dictionary: the addresses for which the client can name this text as its dictionary; `nil` for clients that
  /// never do, and for texts that are no dictionary.
  let useAsDictionary: String?

  /// All of a playlist's versions, whatever its query. It is relative to the address of the answer, because a proxy may
  /// serve all this below a path of its own (RFC 9842, section 2.1.1).
  private static let match = "match=\"live.m3u8\""

  /// The form for a request with these fields.
  static func chosen(_ fields: HTTPFields, of text: EncodedText) -> TextForm {
    let accepted = AcceptedCodings(fields[.acceptEncoding])
    func form(_ bytes: ByteBuffer, _ coding: String?, _ mark: String = "") -> TextForm {
      TextForm(
        bytes: bytes, coding: coding, etag: tag(text, mark),
        vary: text.dictionary == nil ? "Accept-Encoding" : "Accept-Encoding, Available-Dictionary",
        useAsDictionary: text.dictionary != nil && accepted.keepsDictionaries ? match : nil)
    }
    let best = max(accepted.brotli, accepted.gzip, accepted.identity)
    if accepted.dictionary > 0, accepted.dictionary >= best, let value = fields[.availableDictionary],
      let name = AvailableDictionary.name(in: value), let bytes = text.compressed(withDictionary: name)
    {
      return form(bytes, "dcz", dictionaryMark + name.dropFirst().prefix(dictionaryMarkLength))
    }
    if accepted.brotli > 0, accepted.brotli == best { return form(text.brotlied, "br", "b") }
    if accepted.gzip > 0, accepted.gzip == best { return form(text.gzipped, "gzip", "z") }
    return form(text.plain, nil)
  }

  /// The ETag of the form of a text that `If-None-Match` names; `nil` if it names none. Whoever has one form has the
  /// text.
  ///
  /// The answer 304 has this ETag, and not that of another form: a cache renews what it keeps under it, and would else
  /// keep the bytes of one form under the ETag of another (RFC 9111, section 4.3.4).
  ///
  /// - Parameter chosen: the ETag of the form that is sent where none is known, which comes first.
  static func known(_ text: EncodedText, to fields: HTTPFields, chosen: String) -> String? {
    guard let header = fields[.ifNoneMatch] else { return nil }
    let etags = [chosen, text.etag, tag(text, "z"), tag(text, "b")]
    if let etag = etags.first(where: { RequestConditions.matches(fields, anyOf: [$0]) }) { return etag }
    let start = text.etag.dropLast() + dictionaryMark
    guard text.dictionary != nil, let found = header.firstRange(of: start) else { return nil }
    let name = header[found.upperBound...].prefix { $0 != "\"" }
    guard name.endIndex < header.endIndex, name.utf8.count <= dictionaryMarkLength,
      name.utf8.allSatisfy({ $0 > UInt8(ascii: " ") && $0 < 0x7F })
    else { return nil }
    return start + name + "\""
  }

  /// A strong ETag of one form: forms have different bytes.
  private static func tag(_ text: EncodedText, _ mark: String) -> String {
    mark.isEmpty ? text.etag : text.etag.dropLast() + mark + "\""
  }

  /// What the ETag of a form that needs a dictionary has before the first letters of the dictionary's name.
  private static let dictionaryMark = ":"
  private static let dictionaryMarkLength = 12
}
