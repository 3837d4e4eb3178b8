/// Which picture of a push is shown that brings several: a doorbell sends the scene and the number plate together.
package enum StillChoice: Hashable, Sendable {
  /// The first one.
  case first
  /// The last one.
  case last
  /// The one of the most bytes.
  case largest
  /// That in the form field, or under the JSON key, of this name; the first where none bears it.
  case field(String)

  /// Reads `first`, `last`, `largest` or `field:NAME`.
  package init?(_ text: String) {
    switch text {
    case "first": self = .first
    case "last": self = .last
    case "largest": self = .largest
    default:
      guard text.hasPrefix("field:"), text.count > 6, text.utf8.count <= 70 else { return nil }
      self = .field(String(text.dropFirst(6)))
    }
  }
}

extension StillChoice: CustomStringConvertible {
  /// The text that it is read from.
  package var description: String {
    switch self {
    case .first: "first"
    case .last: "last"
    case .largest: "largest"
    case .field(let name): "field:\(name)"
    }
  }
}
