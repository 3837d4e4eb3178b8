/// A request target in its two halves, each in one spelling.
struct RequestTarget {
  /// The path, with the signs that need no escape written as they are.
  let path: Substring
  /// The query behind the question mark, likewise; empty where there is none.
  let query: Substring

  /// Reads what stands in the request's first line.
  ///
  /// `%7E` and `~` are the same (RFC 3986, section 2.3), so these escapes are undone, once. All others stay: a `%2F` is
  /// no slash, and a `%25` begins no escape anew.
  init(_ target: String) {
    let target = target.utf8.contains(UInt8(ascii: "%")) ? Self.unescaped(target) : target
    let mark = target.firstIndex(of: "?") ?? target.endIndex
    path = target[..<mark]
    query = mark == target.endIndex ? "" : target[target.index(after: mark)...]
  }

  /// The path with one slash wherever several stand side by side; `nil` where they stand nowhere.
  var withoutEmptySegments: String? {
    guard path.contains("//") else { return nil }
    let joined = path.split(separator: "/").joined(separator: "/")
    return "/" + joined + (path.hasSuffix("/") && !joined.isEmpty ? "/" : "")
  }

  private static func unescaped(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = digit(bytes[index + 1]),
        let low = digit(bytes[index + 2]), isUnreserved(high << 4 | low)
      {
        result.append(high << 4 | low)
        index += 3
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-._~".utf8.contains(byte)
  }
}
