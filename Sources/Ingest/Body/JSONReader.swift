import Media
import NIOCore

/// Reads a JSON body and takes one of its strings that is the base64 of a JPEG, whatever its name; a `data:` URL counts
/// too (RFC 8259, section 7).
///
/// It knows strings only: the rest of JSON's grammar tells nothing about the picture. No string is kept but the first
/// characters of the last one, which may be a name.
struct JSONReader: Sendable {
  private enum State {
    case outside
    case string
    /// Behind a backslash.
    case escape
    /// In the four digits of an escape.
    case unicode(value: UInt32, digits: Int)
  }

  private static let mostNameBytes = 64

  private var texts: TextStills
  private var state = State.outside
  private var strings = 0
  /// The last string's first characters.
  private var last: [UInt8] = []

  /// A reader of one picture of at most `limit` bytes.
  init(limit: Int, choice: StillChoice) {
    texts = TextStills(limit: limit, mostSkipped: limit / 3 * 4 + limit + 1024, choice: choice)
  }

  /// What was found instead of a picture, as a sentence.
  var summary: String {
    "none of the \(strings) strings in the JSON is the base64 of a JPEG (which begins with /9j/)"
  }

  var heldBytes: Int { texts.heldBytes }

  mutating func read(_ piece: ByteBuffer, into findings: inout [BodyItem]) {
    for byte in piece.readableBytesView {
      guard texts.count(into: &findings) else { return }
      if !texts.isOver { step(byte, into: &findings) }
    }
  }

  mutating func finish(into findings: inout [BodyItem]) {
    guard !texts.isOver else { return }
    switch state {
    case .outside: break
    case .string, .escape, .unicode:
      if !texts.end(into: &findings), !texts.keepsPicture {
        findings.append(
          .malformed("the JSON ends after \(texts.offset) bytes in the middle of a string; send it whole"))
      }
    }
    texts.finish(into: &findings)
  }

  private mutating func step(_ byte: UInt8, into findings: inout [BodyItem]) {
    switch state {
    case .outside:
      if byte == UInt8(ascii: ":") { texts.name = String(decoding: last, as: UTF8.self) }
      guard byte == UInt8(ascii: "\"") else { return }
      texts.begin()
      strings += 1
      last = []
      state = .string
    case .string:
      switch byte {
      case UInt8(ascii: "\\"): state = .escape
      case UInt8(ascii: "\""):
        texts.end(into: &findings)
        state = .outside
      default: take(byte, into: &findings)
      }
    case .escape:
      state = .string
      switch byte {
      case UInt8(ascii: "u"): state = .unicode(value: 0, digits: 0)
      case UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"): take(0x0A, into: &findings)
      case UInt8(ascii: "b"), UInt8(ascii: "f"): take(0, into: &findings)
      default: take(byte, into: &findings)
      }
    case .unicode(let value, let digits):
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        state = .string
        return take(0, into: &findings)
      }
      let value = value << 4 | UInt32(digit)
      guard digits == 3 else {
        state = .unicode(value: value, digits: digits + 1)
        return
      }
      state = .string
      take(UInt8(exactly: value) ?? 0, into: &findings)
    }
  }

  /// Takes one character of a string.
  private mutating func take(_ byte: UInt8, into findings: inout [BodyItem]) {
    if last.count < Self.mostNameBytes { last.append(byte) }
    texts.take(byte, into: &findings)
  }
}
