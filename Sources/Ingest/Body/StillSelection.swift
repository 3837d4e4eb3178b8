import Media
import NIOCore

/// Chooses one picture of those that one push brings.
struct StillSelection: Sendable {
  private let choice: StillChoice
  private var kept: ByteBuffer?
  /// Whether the choice has been made, and what follows is of no interest.
  private(set) var isOver = false

  init(_ choice: StillChoice) { self.choice = choice }

  /// The bytes that are kept until the push is over.
  var heldBytes: Int { kept?.readableBytes ?? 0 }

  /// Looks at the next picture, which stands under `name` if that is known.
  ///
  /// - Returns: the picture where it is the one.
  mutating func offer(_ picture: ByteBuffer, name: String?) -> ByteBuffer? {
    guard !isOver else { return nil }
    switch choice {
    case .field(let wanted) where name != wanted:
      if kept == nil { kept = picture }
      return nil
    case .first, .field:
      (kept, isOver) = (nil, true)
      return picture
    case .last: kept = picture
    case .largest: if picture.readableBytes > heldBytes { kept = picture }
    }
    return nil
  }

  /// The picture that the end of the push makes the one.
  mutating func settle() -> ByteBuffer? {
    defer { (kept, isOver) = (nil, true) }
    return kept
  }
}
