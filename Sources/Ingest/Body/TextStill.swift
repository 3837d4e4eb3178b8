import NIOCore

/// Reads a text that may be the base64 of a JPEG, or a `data:` URL of one (RFC 4648; RFC 2397), character by character.
struct TextStill: Sendable {
  /// What the text is so far.
  private enum Kind {
    /// Its first characters, as long as they may be those of a `data:` URL's head.
    case head([UInt8])
    case base64
    case other
  }

  private static let scheme = Array("data:".utf8)
  private static let mostHeadBytes = 200

  private let limit: Int
  private var kind = Kind.head([])
  private var collector: StillCollector
  private var decoder = Base64Decoder()
  private var decoded = ByteBuffer()

  /// A reader of one picture of at most `limit` bytes.
  init(limit: Int) {
    self.limit = limit
    collector = StillCollector(limit: limit)
  }

  /// Whether it is certainly no picture.
  var isOther: Bool { if case .other = kind { true } else { false } }

  var heldBytes: Int { collector.heldBytes + decoded.readableBytes }

  /// Takes the next character; `offset` of it is told where the base64 is damaged.
  ///
  /// - Returns: what it completed; nothing is to be read behind that.
  mutating func take(_ byte: UInt8, offset: Int) -> BodyItem? {
    switch kind {
    case .other: return nil
    case .base64: return decode(byte, offset: offset)
    case .head(var head):
      // White space may stand before it.
      if head.isEmpty, byte == 0x20 || (0x09...0x0D).contains(byte) { return nil }
      head.append(byte)
      guard head.prefix(Self.scheme.count).elementsEqual(Self.scheme.prefix(head.count)) else {
        return begin(head, offset: offset)
      }
      kind = head.count > Self.mostHeadBytes ? .other : byte == UInt8(ascii: ",") ? .base64 : .head(head)
      return nil
    }
  }

  /// Ends the text.
  mutating func end(offset: Int) -> BodyItem? {
    if case .head(let head) = kind, let finding = begin(head, offset: offset) { return finding }
    if let finding = flush() { return finding }
    return collector.end().map { .picture($0) }
  }

  private mutating func begin(_ head: [UInt8], offset: Int) -> BodyItem? {
    kind = .base64
    for byte in head {
      if let finding = decode(byte, offset: offset) { return finding }
      if isOther { break }
    }
    return nil
  }

  private mutating func decode(_ byte: UInt8, offset: Int) -> BodyItem? {
    if let value = decoder.decode(byte) {
      decoded.writeInteger(value)
      // Three bytes tell a picture from any other text.
      if decoded.readableBytes >= (collector.kind == .unknown ? 1 : 16_384), let finding = flush() { return finding }
    }
    if decoder.isDamaged {
      if let finding = flush() { return finding }
      kind = .other
      return collector.kind == .picture
        ? .malformed("the base64 of the picture is damaged at byte \(offset) of the body; encode the whole JPEG anew")
        : nil
    }
    if collector.kind == .other { kind = .other }
    return nil
  }

  private mutating func flush() -> BodyItem? {
    guard decoded.readableBytes > 0 else { return nil }
    switch collector.append(decoded) {
    case .passed: decoded.clear()
    case .picture(let picture, _): return over(.picture(picture))
    case .oversized: return over(.overflow)
    case .brokeOff: break
    }
    return nil
  }

  private mutating func over(_ finding: BodyItem) -> BodyItem {
    decoded = ByteBuffer()
    kind = .other
    return finding
  }
}
