import HTTPTypes
import NIOCore
import NIOHPACK

/// The head of a GET or HEAD request by HTTP/2 in its most usual form.
///
/// Only what every reader of HTTP understands alike is read here. All else is left to Hummingbird's handlers. What
/// HTTP/2 itself forbids in a head was refused before (RFC 9113, sections 8.2 and 8.3).
struct StreamHead {
  /// The names that are looked for: the fields that an answer depends on, and then those of `QuickHead.Field`.
  private static let names: [String] =
    (RequestConditions.fieldNames + QuickHead.Field.allCases.map(\.name)).map(\.canonicalName)
  /// Fields that say something about a body.
  private static let unusual = ["content-length", "expect"]
  /// Bit n is set where one of the names, or of the others that count, has n letters.
  private static let lengths = (names + unusual).reduce(into: UInt64(0)) { $0 |= 1 << UInt64($1.utf8.count) }
  private static let forms = RequestConditions.fieldNames.count

  /// Whether the method is HEAD.
  private(set) var isHead = false
  /// The target, with its first slash.
  private(set) var target = ""
  private var values = InlineArray<16, String?>(repeating: nil)
  private var known: UInt32 = 0

  /// - Returns: `nil` for any other request.
  init?(_ headers: HPACKHeaders) {
    var hasMethod = false
    for (name, value, _) in headers {
      let length = name.utf8.count
      if name.utf8.first == UInt8(ascii: ":") {
        switch name {
        case ":method":
          guard value == "GET" || value == "HEAD" else { return nil }
          (hasMethod, isHead) = (true, value == "HEAD")
        case ":path": target = value
        case ":scheme", ":authority": break
        default: return nil
        }
        continue
      }
      guard length < 64, Self.lengths & 1 << UInt64(length) != 0 else { continue }
      if let index = Self.names.firstIndex(of: name) {
        // What stands twice is one list, which Hummingbird's side joins.
        if known & 1 << UInt32(index) != 0 { return nil }
        values[index] = value
        known |= 1 << UInt32(index)
      } else if Self.unusual.contains(name) {
        return nil
      }
    }
    guard hasMethod, QuickHead.isPlain(target) else { return nil }
  }

  /// What stands between the first two slashes of the target; `nil` where there is no second one.
  var folder: Substring? {
    let path = target.utf8.dropFirst()
    guard let slash = path.firstIndex(of: UInt8(ascii: "/")) else { return nil }
    return target[path.startIndex..<slash]
  }

  /// Whether a field is there.
  func has(_ field: QuickHead.Field) -> Bool { known & 1 << UInt32(Self.forms + field.rawValue) != 0 }

  /// The value of a field.
  subscript(field: QuickHead.Field) -> String? { values[Self.forms + field.rawValue] }

  /// These fields, as far as they are there.
  func fields(_ names: [QuickHead.Field]) -> HTTPFields {
    var fields = HTTPFields()
    for name in names {
      if let value = self[name] { fields[name.name] = value }
    }
    return fields
  }

  /// What decides the form of the answer.
  var asked: AskedForm {
    var fields = HTTPFields()
    for (index, name) in RequestConditions.fieldNames.enumerated() {
      if let value = values[index] { fields[name] = value }
    }
    return AskedForm(method: isHead ? .head : .get, fields: fields)
  }

  /// Writes what two requests have in common that get the same answer, as `QuickHead` does.
  func writeKey(to key: inout ByteBuffer) {
    key.writeInteger(UInt8(isHead ? 1 : 0))
    key.writeString(target)
    for index in 0..<Self.forms {
      guard let value = values[index] else { continue }
      key.writeInteger(UInt8(index))
      key.writeString(value)
    }
  }
}
