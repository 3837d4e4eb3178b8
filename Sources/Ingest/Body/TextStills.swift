import Media
import NIOCore

/// Finds the picture of a push among the texts of its body, each of which may be the base64 of a JPEG; the readers of
/// such bodies give it the characters.
struct TextStills: Sendable {
  private let limit: Int
  private var text: TextStill
  private var selection: StillSelection
  private var budget: SkipBudget
  /// How many bytes of the body were read.
  private(set) var offset = 0
  /// Whether nothing more is of interest.
  private(set) var isOver = false
  /// What the current text stands under, if that is known.
  var name: String?

  /// - Parameters:
  ///   - limit: the largest picture, in bytes.
  ///   - mostSkipped: how many bytes that belong to no picture can come before the next picture.
  init(limit: Int, mostSkipped: Int, choice: StillChoice) {
    self.limit = limit
    text = TextStill(limit: limit)
    selection = StillSelection(choice)
    budget = SkipBudget(mostSkipped)
  }

  /// Whether a picture is kept until the push is over.
  var keepsPicture: Bool { selection.heldBytes > 0 }

  var heldBytes: Int { text.heldBytes + selection.heldBytes }

  /// Counts the next byte of the body.
  ///
  /// - Returns: whether it may be read: too many without a picture are an overflow.
  mutating func count(into findings: inout [BodyItem]) -> Bool {
    guard budget.spend(1) else {
      findings.append(.overflow)
      isOver = true
      return false
    }
    offset += 1
    return true
  }

  /// Begins the next text.
  mutating func begin() { text = TextStill(limit: limit) }

  /// Takes the next character of the text.
  mutating func take(_ byte: UInt8, into findings: inout [BodyItem]) {
    if let finding = text.take(byte, offset: offset) { take(finding, into: &findings) }
  }

  /// Ends the text.
  ///
  /// - Returns: whether that completed anything.
  @discardableResult mutating func end(into findings: inout [BodyItem]) -> Bool {
    guard let finding = text.end(offset: offset) else { return false }
    take(finding, into: &findings)
    return true
  }

  /// Ends the body.
  mutating func finish(into findings: inout [BodyItem]) {
    if let picture = selection.settle() { findings.append(.picture(picture)) }
  }

  private mutating func take(_ finding: BodyItem, into findings: inout [BodyItem]) {
    guard case .picture(let picture) = finding else {
      findings.append(finding)
      isOver = true
      return
    }
    budget.renew()
    if let chosen = selection.offer(picture, name: name) { findings.append(.picture(chosen)) }
    if selection.isOver { isOver = true }
  }
}
