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
    /// Nothing more is of interest.
    case rest
  }

  private static let mostNameBytes = 64

  private let limit: Int
  private var text: TextStill
  private var selection: StillSelection
  private var budget: SkipBudget
  private var state = State.outside
  private var strings = 0
  private var offset = 0
  /// The last string's first characters, and the name that the next string stands under.
  private var last: [UInt8] = []
  private var name: String?

  /// A reader of one picture of at most `limit` bytes.
  init(limit: Int, choice: StillChoice) {
    self.limit = limit
    text = TextStill(limit: limit)
    selection = StillSelection(choice)
    budget = SkipBudget(limit / 3 * 4 + limit + 1024)
  }

  /// What was found instead of a picture, as a sentence.
  var summary: String {
    "none of the \(strings) strings in the JSON is the base64 of a JPEG (which begins with /9j/)"
  }

  var heldBytes: Int { text.heldBytes + selection.heldBytes }

  mutating func read(_ piece: ByteBuffer, into findings: inout [BodyItem]) {
    for byte in piece.readableBytesView {
      guard budget.spend(1) else {
        findings.append(.overflow)
        state = .rest
        return
      }
      offset += 1
      step(byte, into: &findings)
    }
  }

  mutating func finish(into findings: inout [BodyItem]) {
    switch state {
    case .rest: return
    case .outside: break
    case .string, .escape, .unicode:
      if let finding = text.end(offset: offset) {
        take(finding, into: &findings)
      } else if selection.heldBytes == 0 {
        findings.append(.malformed("the JSON ends after \(offset) bytes in the middle of a string; send it whole"))
      }
    }
    if let picture = selection.settle() { findings.append(.picture(picture)) }
  }

  private mutating func step(_ byte: UInt8, into findings: inout [BodyItem]) {
    switch state {
    case .outside:
      if byte == UInt8(ascii: ":") { name = String(decoding: last, as: UTF8.self) }
      guard byte == UInt8(ascii: "\"") else { return }
      text = TextStill(limit: limit)
      strings += 1
      last = []
      state = .string
    case .string:
      switch byte {
      case UInt8(ascii: "\\"): state = .escape
      case UInt8(ascii: "\""):
        if let finding = text.end(offset: offset) { take(finding, into: &findings) }
        if case .string = state { state = .outside }
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
    case .rest: return
    }
  }

  /// Takes one character of a string.
  private mutating func take(_ byte: UInt8, into findings: inout [BodyItem]) {
    if last.count < Self.mostNameBytes { last.append(byte) }
    if let finding = text.take(byte, offset: offset) { take(finding, into: &findings) }
  }

  private mutating func take(_ finding: BodyItem, into findings: inout [BodyItem]) {
    guard case .picture(let picture) = finding else {
      findings.append(finding)
      state = .rest
      return
    }
    budget.renew()
    if let chosen = selection.offer(picture, name: name) { findings.append(.picture(chosen)) }
    if selection.isOver { state = .rest }
  }
}
