/// The head of a camera's answer over HTTP, read as people's programs read it and not as the specification has it.
///
/// Cameras leave names out, put spaces before colons, end lines with line feeds alone and say a length twice. What cannot
/// be a field is passed over. It is for what cameras answer only: at a server's door such a head is refused.
package struct AnswerHead: Hashable, Sendable {
  /// The most bytes of a head, with its line breaks.
  package static let mostBytes = 65_536

  /// The status code; 200 where the answer begins with its body.
  package private(set) var status: Int
  /// Whether the connection may bring another answer after this one, as far as the version says.
  package private(set) var isPersistent: Bool
  private var fields: [(name: String, value: String)] = []

  /// The head of an answer that has none.
  init() { (status, isPersistent) = (200, false) }

  /// Reads a status line: `HTTP/1.1 200 OK`, `HTTP/1.0 200`, `ICY 200 OK`; `nil` where it is none.
  init?(statusLine line: some Sequence<UInt8>) {
    let words = String(decoding: Array(line), as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\t" })
    guard words.count >= 2, let version = words.first?.uppercased(), version.hasPrefix("HTTP") || version == "ICY",
      words[1].utf8.count == 3, let status = Int(words[1]), (100...999).contains(status)
    else { return nil }
    self.status = status
    isPersistent = version.hasSuffix("/1.1")
  }

  /// Takes one line without its line break; what is no field is passed over.
  mutating func read(_ line: some Collection<UInt8>) {
    guard let first = line.first else { return }
    let text = String(decoding: line, as: UTF8.self)
    if first == 0x20 || first == 0x09 {
      // A folded line goes on with the field before it (RFC 9112, section 5.2).
      if let last = fields.last {
        fields[fields.count - 1].value = Self.trimmed(last.value + " " + Self.trimmed(text[...]))
      }
      return
    }
    guard let colon = text.firstIndex(of: ":"), fields.count < Self.mostFields else { return }
    let name = Self.trimmed(text[..<colon]).lowercased()
    // A date without a name has colons too.
    guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else { return }
    fields.append((name, Self.trimmed(text[text.index(after: colon)...])))
  }

  private static let mostFields = 200

  /// All values of the field of this name, which is given in lower case.
  package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  /// The first value of the field of this name, which is given in lower case.
  package func first(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  /// The length of the body, if the head says one and no other.
  var length: Int? {
    let lengths = values("content-length").flatMap { $0.split(separator: ",").map { Self.trimmed($0) } }
    guard let length = lengths.first.flatMap(Int.init), length >= 0, lengths.allSatisfy({ Int($0) == length }) else {
      return nil
    }
    return length
  }

  /// Whether the body comes in chunks, as far as the head knows.
  var isChunked: Bool { values("transfer-encoding").contains { $0.lowercased().contains("chunked") } }

  /// Whether the camera says that it will close the connection.
  var closes: Bool { values("connection").contains { $0.lowercased().contains("close") } }

  private static func trimmed(_ text: some StringProtocol) -> String {
    var text = text.drop { $0 == " " || $0 == "\t" }
    while let last = text.last, last == " " || last == "\t" || last == "\r" { text.removeLast() }
    return String(text)
  }

  /// RFC 9110, section 5.6.2.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  /// Two heads are the same when they say the same.
  package static func == (left: AnswerHead, right: AnswerHead) -> Bool {
    left.status == right.status && left.isPersistent == right.isPersistent
      && left.fields.elementsEqual(right.fields) { $0 == $1 }
  }

  /// Goes with the status and the names.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(status)
    for field in fields { hasher.combine(field.name) }
  }
}
