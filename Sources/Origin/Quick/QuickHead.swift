import HTTPTypes
import NIOCore

/// The head of a GET or HEAD request by HTTP/1.1 in its most usual form, read in place.
///
/// Only what every reader of HTTP understands alike is read here (RFC 9112). All else, and all that is wrong, is left to
/// the parser behind it, in the very bytes that came.
struct QuickHead {
  /// What the bytes at the front of a connection's input are.
  enum Reading {
    /// A head.
    case head(QuickHead)
    /// Something else, or not a whole head.
    case other
  }

  /// A field that the quick way looks at.
  enum Field: Int, CaseIterable {
    case userAgent, secGPC, doNotTrack, secPurpose, purpose, xMoz, xPurpose, xForwardedFor, forwarded

    var name: HTTPField.Name {
      switch self {
      case .userAgent: .userAgent
      case .secGPC: .secGPC
      case .doNotTrack: .doNotTrack
      case .secPurpose: .secPurpose
      case .purpose: .purpose
      case .xMoz: .xMoz
      case .xPurpose: .xPurpose
      case .xForwardedFor: .xForwardedFor
      case .forwarded: .forwarded
      }
    }
  }

  private struct Piece {
    var start: Int32 = 0
    var end: Int32 = -1
  }

  /// The longest head; longer ones, and those with more lines, go to the parser, which knows its own limits.
  private static let most = 8192
  private static let mostLines = 48

  /// The names that are looked for, in small letters: the fields that an answer depends on, and then `Field`.
  private static let names: [[UInt8]] =
    (RequestConditions.fieldNames + Field.allCases.map(\.name)).map { Array($0.canonicalName.utf8) }
  /// Bit n is set where one of the names, or of the others that count, has n letters.
  private static let lengths = (names + unusual).reduce(into: UInt64(0)) { $0 |= 1 << UInt64($1.count) }
  private static let forms = RequestConditions.fieldNames.count
  private static let host = Array("host".utf8)
  private static let connection = Array("connection".utf8)
  private static let keepAlive = Array("keep-alive".utf8)
  /// Fields that say something about a body or another protocol.
  private static let unusual = ["content-length", "transfer-encoding", "upgrade", "expect", "http2-settings"]
    .map { Array($0.utf8) }
  /// Whether the method is HEAD.
  private(set) var isHead = false
  /// The count of its bytes, with the empty line.
  private(set) var length = 0
  /// Where the target stands, behind its first slash.
  private(set) var target = 0..<0
  private var pieces = InlineArray<24, Piece>(repeating: Piece())
  private var known: UInt32 = 0

  /// Reads the head at the front of the bytes.
  static func read(_ bytes: ByteBuffer) -> Reading {
    bytes.withUnsafeReadableBytes { bytes in
      var head = QuickHead()
      return head.read(bytes) ? .head(head) : .other
    }
  }

  // MARK: What stands in it

  /// Whether a field is there.
  func has(_ field: Field) -> Bool { known & 1 << UInt32(Self.forms + field.rawValue) != 0 }

  /// The value of a field.
  ///
  /// - Parameter bytes: those that the head was read from.
  func value(_ field: Field, in bytes: ByteBuffer) -> String? { value(at: Self.forms + field.rawValue, in: bytes) }

  /// The value of a field as bytes; empty where it is not there.
  func bytes(_ field: Field, in bytes: ByteBuffer) -> ByteBuffer? {
    guard has(field) else { return nil }
    let piece = pieces[Self.forms + field.rawValue]
    return bytes.getSlice(at: bytes.readerIndex + Int(piece.start), length: Int(piece.end - piece.start))
  }

  /// The target.
  ///
  /// - Parameter bytes: those that the head was read from.
  func target(in bytes: ByteBuffer) -> String? {
    bytes.getString(at: bytes.readerIndex + target.lowerBound - 1, length: target.count + 1)
  }

  /// What stands between the first two slashes of the target; `nil` where there is no second one.
  func folder(in bytes: ByteBuffer) -> String? {
    bytes.withUnsafeReadableBytes { bytes in
      guard let slash = bytes[target].firstIndex(of: UInt8(ascii: "/")) else { return nil }
      return String(decoding: bytes[target.lowerBound..<slash], as: UTF8.self)
    }
  }

  /// These fields, as far as they are there.
  func fields(_ names: [Field], in bytes: ByteBuffer) -> HTTPFields {
    var fields = HTTPFields()
    for name in names {
      if let value = value(name, in: bytes) { fields[name.name] = value }
    }
    return fields
  }

  /// What decides the form of the answer.
  func asked(in bytes: ByteBuffer) -> AskedForm {
    var fields = HTTPFields()
    for (index, name) in RequestConditions.fieldNames.enumerated() {
      if let value = value(at: index, in: bytes) { fields[name] = value }
    }
    return AskedForm(method: isHead ? .head : .get, fields: fields)
  }

  /// Writes what two requests have in common that get the same answer.
  func writeKey(in bytes: ByteBuffer, to key: inout ByteBuffer) {
    bytes.withUnsafeReadableBytes { bytes in
      key.writeInteger(UInt8(isHead ? 1 : 0))
      key.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[(target.lowerBound - 1)..<target.upperBound]))
      for index in 0..<Self.forms where known & 1 << UInt32(index) != 0 {
        let piece = pieces[index]
        key.writeInteger(UInt8(index))
        key.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[Int(piece.start)..<Int(piece.end)]))
      }
    }
  }

  /// Whether a target has only signs that mean themselves, and begins with a slash.
  static func isPlain(_ target: String) -> Bool {
    target.utf8.first == UInt8(ascii: "/") && target.utf8.allSatisfy(isPlainInTarget)
  }

  private func value(at index: Int, in bytes: ByteBuffer) -> String? {
    guard known & 1 << UInt32(index) != 0 else { return nil }
    let piece = pieces[index]
    return bytes.getString(at: bytes.readerIndex + Int(piece.start), length: Int(piece.end - piece.start))
  }

  // MARK: Reading

  private mutating func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var place = 0
    if Self.begins(bytes, "GET /") {
      place = 5
    } else if Self.begins(bytes, "HEAD /") {
      (place, isHead) = (6, true)
    } else {
      return false
    }
    let most = min(bytes.count, Self.most)
    let start = place
    while place < most, Self.isPlainInTarget(bytes[place]) { place += 1 }
    target = start..<place
    guard Self.begins(UnsafeRawBufferPointer(rebasing: bytes[place..<most]), " HTTP/1.1\r\n") else { return false }
    place += 11
    var hosts = 0
    for _ in 0..<Self.mostLines {
      guard place + 1 < most else { return false }
      if bytes[place] == Self.carriageReturn {
        length = place + 2
        return bytes[place + 1] == Self.lineFeed && hosts == 1
      }
      let name = place
      while place < most, Self.isPlainInName(bytes[place]) { place += 1 }
      guard place < most, place > name, bytes[place] == UInt8(ascii: ":") else { return false }
      let nameEnd = place
      place += 1
      while place < most, bytes[place] == Self.space || bytes[place] == Self.tab { place += 1 }
      let value = place
      while place < most, bytes[place] >= Self.space && bytes[place] < 0x7F || bytes[place] == Self.tab { place += 1 }
      guard place + 1 < most, bytes[place] == Self.carriageReturn, bytes[place + 1] == Self.lineFeed else {
        return false
      }
      var valueEnd = place
      place += 2
      while valueEnd > value, bytes[valueEnd - 1] == Self.space || bytes[valueEnd - 1] == Self.tab { valueEnd -= 1 }
      guard
        take(
          UnsafeRawBufferPointer(rebasing: bytes[name..<nameEnd]), value..<valueEnd, in: bytes, hosts: &hosts)
      else { return false }
    }
    return false
  }

  /// Notes a field; `false` where the request is for the parser.
  private mutating func take(
    _ name: UnsafeRawBufferPointer, _ value: Range<Int>, in bytes: UnsafeRawBufferPointer, hosts: inout Int
  ) -> Bool {
    switch name.count {
    case 4 where Self.equal(name, Self.host):
      hosts += 1
      return true
    case 10 where Self.equal(name, Self.connection):
      return Self.equal(UnsafeRawBufferPointer(rebasing: bytes[value]), Self.keepAlive)
    default: break
    }
    guard name.count < 64, Self.lengths & 1 << UInt64(name.count) != 0 else { return true }
    for (index, known) in Self.names.enumerated() where Self.equal(name, known) {
      // What stands twice is one list, which the parser's side joins.
      if self.known & 1 << UInt32(index) != 0 { return false }
      self.known |= 1 << UInt32(index)
      pieces[index] = Piece(start: Int32(value.lowerBound), end: Int32(value.upperBound))
      return true
    }
    return !Self.unusual.contains { Self.equal(name, $0) }
  }

  private static let (space, tab) = (UInt8(ascii: " "), UInt8(ascii: "\t"))
  private static let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))

  private static func begins(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard bytes.count >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount where bytes[index] != text.utf8Start[index] { return false }
    return true
  }

  /// Whether a name is this one, which is written in small letters.
  private static func equal(_ name: UnsafeRawBufferPointer, _ known: [UInt8]) -> Bool {
    guard name.count == known.count else { return false }
    for index in 0..<name.count {
      let byte = name[index]
      guard (65...90).contains(byte) ? byte | 32 == known[index] : byte == known[index] else { return false }
    }
    return true
  }

  /// Signs that mean themselves in a target and nothing else, so that there is one spelling of it.
  private static func isPlainInTarget(_ byte: UInt8) -> Bool {
    switch byte {
    // The signs from - to 9 are - . / and digits.
    case 65...90, 97...122, UInt8(ascii: "-")...UInt8(ascii: "9"), UInt8(ascii: "?"), UInt8(ascii: "="),
      UInt8(ascii: "&"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  private static func isPlainInName(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
    default: false
    }
  }
}
