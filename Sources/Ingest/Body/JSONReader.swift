import NIOCore

/// Reads a JSON body and takes the first of its strings that is the base64 of a JPEG, whatever its name. A `data:` URL
/// counts too (RFC 8259, section 7; RFC 2397).
///
/// It only reads strings: the rest of JSON's grammar says nothing about the picture. No string is kept.
struct JSONReader: Sendable {
  private enum State {
    case outside
    case string(Text)
    /// After a backslash.
    case escape(Text)
    /// In the four digits of an escape.
    case unicode(Text, value: UInt32, digits: Int)
    /// The picture was found.
    case rest
  }

  /// What a string is, as far as it is known.
  private enum Text {
    /// Its first characters, as long as they can be those of a `data:` URL's head.
    case head([UInt8])
    case base64
    case other
  }

  private static let scheme = Array("data:".utf8)
  private static let mostHeadBytes = 200

  private var collector: StillCollector
  private var decoder = Base64Decoder()
  private var decoded = ByteBuffer()
  private let limit: Int
  private var budget: SkipBudget
  private var state = State.outside
  private var strings = 0
  private var offset = 0

  /// A reader of one picture of at most `limit` bytes.
  init(limit: Int) {
    self.limit = limit
    collector = StillCollector(limit: limit)
    budget = SkipBudget(limit / 3 * 4 + limit + 1024)
  }

  /// What was found instead of a picture, as a sentence.
  var summary: String {
    "none of the \(strings) strings in the JSON is the base64 of a JPEG (which begins with /9j/)"
  }

  var heldBytes: Int { collector.heldBytes + decoded.readableBytes }

  mutating func read(_ piece: ByteBuffer, into findings: inout [BodyItem]) {
    for byte in piece.readableBytesView {
      guard budget.spend(1) else {
        findings.append(.overflow)
        return
      }
      offset += 1
      step(byte, into: &findings)
      if !findings.isEmpty { state = .rest }
    }
    flush(into: &findings)
    if !findings.isEmpty { state = .rest }
  }

  mutating func finish(into findings: inout [BodyItem]) {
    switch state {
    case .outside, .rest: return
    case .string, .escape, .unicode:
      if let picture = collector.end() {
        findings.append(.picture(picture))
      } else {
        findings.append(.malformed("the JSON ends after \(offset) bytes in the middle of a string; send it whole"))
      }
    }
  }

  private mutating func step(_ byte: UInt8, into findings: inout [BodyItem]) {
    switch state {
    case .outside:
      guard byte == UInt8(ascii: "\"") else { return }
      collector = StillCollector(limit: limit)
      decoder = Base64Decoder()
      strings += 1
      state = .string(.head([]))
    case .string(let text):
      switch byte {
      case UInt8(ascii: "\\"): state = .escape(text)
      case UInt8(ascii: "\""):
        if case .head(let head) = text { beginBase64(head, into: &findings) }
        end(into: &findings)
      default: state = .string(take(byte, text, into: &findings))
      }
    case .escape(let text):
      switch byte {
      case UInt8(ascii: "u"): state = .unicode(text, value: 0, digits: 0)
      case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
        state = .string(take(0x0A, text, into: &findings))
      case UInt8(ascii: "b"), UInt8(ascii: "f"): state = .string(take(0, text, into: &findings))
      default: state = .string(take(byte, text, into: &findings))
      }
    case .unicode(let text, let value, let digits):
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        state = .string(take(0, text, into: &findings))
        return
      }
      let value = value << 4 | UInt32(digit)
      state =
        digits < 3
        ? .unicode(text, value: value, digits: digits + 1)
        : .string(take(UInt8(exactly: value) ?? 0, text, into: &findings))
    case .rest: return
    }
  }

  /// Takes one character of a string.
  private mutating func take(_ byte: UInt8, _ text: Text, into findings: inout [BodyItem]) -> Text {
    switch text {
    case .other: return .other
    case .base64: return decode(byte, into: &findings)
    case .head(var head):
      head.append(byte)
      guard head.prefix(Self.scheme.count).elementsEqual(Self.scheme.prefix(head.count)) else {
        return beginBase64(head, into: &findings)
      }
      if head.count > Self.mostHeadBytes { return .other }
      return byte == UInt8(ascii: ",") ? .base64 : .head(head)
    }
  }

  @discardableResult
  private mutating func beginBase64(_ head: [UInt8], into findings: inout [BodyItem]) -> Text {
    for byte in head {
      if case .other = decode(byte, into: &findings) { return .other }
    }
    return .base64
  }

  private mutating func decode(_ byte: UInt8, into findings: inout [BodyItem]) -> Text {
    if let value = decoder.decode(byte) {
      decoded.writeInteger(value)
      // Three bytes distinguish a picture from any other text.
      if decoded.readableBytes >= (collector.kind == .unknown ? 1 : 16_384) { flush(into: &findings) }
    }
    guard decoder.isDamaged, findings.isEmpty else { return collector.kind == .other ? .other : .base64 }
    flush(into: &findings)
    if collector.kind == .picture, findings.isEmpty {
      findings.append(
        .malformed("the base64 of the picture is damaged at byte \(offset) of the body; encode the whole JPEG again"))
    }
    return .other
  }

  private mutating func end(into findings: inout [BodyItem]) {
    flush(into: &findings)
    if findings.isEmpty, let picture = collector.end() { findings.append(.picture(picture)) }
    state = .outside
  }

  private mutating func flush(into findings: inout [BodyItem]) {
    guard decoded.readableBytes > 0, findings.isEmpty else { return }
    switch collector.append(decoded) {
    case .passed: decoded.clear()
    case .picture(let picture, _): findings.append(.picture(picture))
    case .oversized: findings.append(.overflow)
    case .brokeOff: break
    }
    if !findings.isEmpty { decoded = ByteBuffer() }
  }
}
