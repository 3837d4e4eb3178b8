import NIOCore

/// What a server with the S3 interface says in XML: errors and lists of objects, read leniently. What is missing,
/// damaged or too long is passed over; nothing is read but the tags that are looked for.
package struct BucketAnswer: Sendable {
  /// The most bytes of an answer that are read: a list of 1,000 objects has less.
  package static let mostBytes = 2 << 20
  /// The most bytes of one value.
  private static let mostValue = 4096

  private let text: [UInt8]

  /// An answer with this body.
  package init(_ bytes: ByteBuffer) { text = Array(bytes.readableBytesView.prefix(Self.mostBytes)) }

  /// The first value of a tag; `nil` if there is none.
  package func first(_ tag: String) -> String? {
    next(tag, in: text[...]).map { Self.unescaped($0.value) }
  }

  /// The objects of a list (ListObjectsV2), with their sizes.
  package var objects: [(key: String, bytes: Int)] {
    var (rest, found) = (text[...], [(key: String, bytes: Int)]())
    while let item = next("Contents", in: rest, most: 65_536) {
      rest = item.rest
      guard let key = next("Key", in: item.value) else { continue }
      let size = next("Size", in: item.value).flatMap { Int(Self.unescaped($0.value)) }
      found.append((Self.unescaped(key.value), max(0, size ?? 0)))
    }
    return found
  }

  /// Where the next page of a list begins; `nil` on the last page.
  package var continuation: String? {
    first("IsTruncated")?.lowercased() == "true" ? first("NextContinuationToken") : nil
  }

  private func next(
    _ tag: String, in bytes: ArraySlice<UInt8>, most: Int = BucketAnswer.mostValue
  ) -> (value: ArraySlice<UInt8>, rest: ArraySlice<UInt8>)? {
    var rest = bytes
    let (opening, closing) = (Array("<\(tag)".utf8), Array("</\(tag)>".utf8))
    while let start = Self.find(opening, in: rest) {
      let after = rest[start...].dropFirst(opening.count)
      guard let sign = after.first else { return nil }
      // `<KeyCount>` is not `<Key>`; attributes are passed over.
      guard sign == UInt8(ascii: ">") || sign == UInt8(ascii: " ") else {
        rest = after
        continue
      }
      guard let begin = after.firstIndex(of: UInt8(ascii: ">")) else { return nil }
      let content = after[after.index(after: begin)...]
      guard let end = Self.find(closing, in: content) else { return nil }
      let value = content[..<end]
      rest = content[end...].dropFirst(closing.count)
      if value.count <= most { return (value, rest) }
    }
    return nil
  }

  private static func find(_ needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
    guard let first = needle.first else { return nil }
    var start = bytes.startIndex
    while let place = bytes[start...].firstIndex(of: first) {
      if bytes[place...].starts(with: needle) { return place }
      start = place + 1
    }
    return nil
  }

  /// A value with its five named entities and numbered ones of characters replaced.
  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.contains("&") else { return text }
    var (result, rest) = ("", text[...])
    while let start = rest.firstIndex(of: "&") {
      result += rest[..<start]
      rest = rest[start...]
      guard let end = rest.prefix(12).firstIndex(of: ";") else {
        result += "&"
        rest = rest.dropFirst()
        continue
      }
      let name = rest[rest.index(after: start)..<end]
      if let character = entities[String(name)] ?? numbered(name) {
        result.unicodeScalars.append(character)
        rest = rest[rest.index(after: end)...]
      } else {
        result += "&"
        rest = rest.dropFirst()
      }
    }
    return result + rest
  }

  private static let entities: [String: Unicode.Scalar] = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]

  private static func numbered(_ name: Substring) -> Unicode.Scalar? {
    guard name.first == "#" else { return nil }
    let digits = name.dropFirst()
    let number = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
    return number.flatMap { Unicode.Scalar($0) }
  }
}
