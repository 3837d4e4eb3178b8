/// The header of one part of a multipart body, for messages.
struct PartHead: Sendable {
  /// The most bytes of all its lines together.
  static let mostBytes = 16_384

  /// The name of the form's field.
  private(set) var fieldName: String?
  /// Whether the content is written as base64 (RFC 2045, section 6.8).
  private(set) var isBase64 = false
  private var type: String?

  /// Takes one line without its line break; lines that are not fields are ignored.
  mutating func read(_ line: String) {
    guard let colon = line.firstIndex(of: ":") else { return }
    let value = line[line.index(after: colon)...]
    switch line[..<colon].lowercased().filter({ $0 != " " }) {
    case "content-disposition": fieldName = HeaderValue.parse(value).parameters["name"]
    case "content-type": type = HeaderValue.parse(value).value
    case "content-transfer-encoding": isBase64 = HeaderValue.parse(value).value.lowercased() == "base64"
    default: break
    }
  }

  /// The part in a few words of printable ASCII.
  func described(firstBytes: [UInt8]) -> String {
    var text = fieldName.map { "\"\(Self.printable($0))\"" } ?? "a part without a name"
    if let type, !type.isEmpty { text += " (\(Self.printable(type)))" }
    let begin = firstBytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }
    return text + (begin.isEmpty ? ", empty" : ", begins with \(begin.joined(separator: " ").uppercased())")
  }

  private static func printable(_ text: String) -> String {
    String(text.unicodeScalars.prefix(40).map { (0x20..<0x7F).contains($0.value) ? Character($0) : "?" })
  }
}
