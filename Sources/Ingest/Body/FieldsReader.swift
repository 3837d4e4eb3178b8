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
  }

  private static let mostNameBytes = 64

  private let isForm: Bool
  private var texts: TextStills
  private var state: State
  private var fields = 0

  /// A reader of one picture of at most `limit` bytes, in a form or as the whole of the text.
  init(limit: Int, isForm: Bool, choice: StillChoice) {
    self.isForm = isForm
    // Each character may be written as three.
    texts = TextStills(limit: limit, mostSkipped: limit / 3 * 4 + 2 * limit + 1024, choice: choice)
    state = isForm ? .name([]) : .value
  }

  /// What came instead of a picture, as a sentence.
  var summary: String {
    isForm
      ? "none of the \(fields) fields of the form is the base64 of a JPEG (which begins with /9j/)"
      : "the text is not the base64 of a JPEG"
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
    case .value, .escape: texts.end(into: &findings)
    case .name: break
    }
    texts.finish(into: &findings)
  }

  private mutating func step(_ byte: UInt8, into findings: inout [BodyItem]) {
    switch state {
    case .name(var bytes):
      switch byte {
      case UInt8(ascii: "="):
        texts.name = String(decoding: bytes, as: UTF8.self)
        fields += 1
        texts.begin()
        state = .value
      case UInt8(ascii: "&"): state = .name([])
      default:
        if bytes.count < Self.mostNameBytes { bytes.append(byte) }
        state = .name(bytes)
      }
    case .value:
      switch byte {
      case UInt8(ascii: "&") where isForm:
        texts.end(into: &findings)
        state = .name([])
      case UInt8(ascii: "%"): state = .escape(high: nil)
      default: texts.take(byte, into: &findings)
      }
    case .escape(let high):
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init) else {
        state = .value
        return texts.take(0, into: &findings)
      }
      guard let high else {
        state = .escape(high: digit)
        return
      }
      state = .value
      texts.take(high << 4 | digit, into: &findings)
    }
  }
}
