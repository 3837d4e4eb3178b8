import Media
import NIOCore

/// Reads a body that is text: the base64 of a JPEG, a `data:` URL of one, or the fields of an urlencoded form (WHATWG
/// URL Standard, section 5.1) of which one is.
///
/// A plus sign is taken as it stands: who encodes a form by the rules writes it as `%2B`, and all others mean it.
struct FieldsReader: Sendable {
  private enum State {
    /// In a field's name.
    case name([UInt8])
    case value
    /// Behind a percent sign, with the first of its two digits.
    case escape(high: UInt8?)
    /// Nothing more is of interest.
    case rest
  }

  private static let mostNameBytes = 64

  private let limit: Int
  private let isForm: Bool
  private var text: TextStill
  private var selection: StillSelection
  private var budget: SkipBudget
  private var state: State
  private var fields = 0
  private var offset = 0
  private var name: String?

  /// A reader of one picture of at most `limit` bytes, in a form or as the whole of the text.
  init(limit: Int, isForm: Bool, choice: StillChoice) {
    self.limit = limit
    self.isForm = isForm
    text = TextStill(limit: limit)
    selection = StillSelection(choice)
    // Each character may be written as three.
    budget = SkipBudget(limit / 3 * 4 + 2 * limit + 1024)
    state = isForm ? .name([]) : .value
  }

  /// What came instead of a picture, as a sentence.
  var summary: String {
    isForm
      ? "none of the \(fields) fields of the form is the base64 of a JPEG (which begins with /9j/)"
      : "the text is not the base64 of a JPEG"
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
    if case .rest = state { return }
    endValue(into: &findings)
    if let picture = selection.settle() { findings.append(.picture(picture)) }
  }

  private mutating func step(_ byte: UInt8, into findings: inout [BodyItem]) {
    switch state {
    case .name(var bytes):
      switch byte {
      case UInt8(ascii: "="):
        name = String(decoding: bytes, as: UTF8.self)
        fields += 1
        text = TextStill(limit: limit)
        state = .value
      case UInt8(ascii: "&"): state = .name([])
      default:
        if bytes.count < Self.mostNameBytes { bytes.append(byte) }
        state = .name(bytes)
      }
    case .value:
      switch byte {
      case UInt8(ascii: "&") where isForm:
        endValue(into: &findings)
        if case .value = state { state = .name([]) }
      case UInt8(ascii: "%"): state = .escape(high: nil)
      default: take(byte, into: &findings)
      }
    case .escape(let high):
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init) else {
        state = .value
        return take(0, into: &findings)
      }
      guard let high else {
        state = .escape(high: digit)
        return
      }
      state = .value
      take(high << 4 | digit, into: &findings)
    case .rest: return
    }
  }

  private mutating func endValue(into findings: inout [BodyItem]) {
    switch state {
    case .value, .escape: if let finding = text.end(offset: offset) { take(finding, into: &findings) }
    case .name, .rest: break
    }
  }

  private mutating func take(_ byte: UInt8, into findings: inout [BodyItem]) {
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
