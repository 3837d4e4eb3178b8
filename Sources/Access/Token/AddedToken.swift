import Media

/// What is kept of a token that an operator made: never the token itself.
package struct AddedToken: Hashable, Sendable {
  /// What a token opens.
  package enum Scope: Hashable, Sendable, CustomStringConvertible {
    /// Stills can be pushed for this camera.
    case camera(CameraName)
    /// Everything that the operator's own token opens.
    case `operator`

    /// Reads `operator`, or `camera:` and a name.
    package init?(_ text: some StringProtocol) {
      if text == "operator" {
        self = .operator
      } else if text.hasPrefix("camera:"), let name = CameraName(text.dropFirst("camera:".count)) {
        self = .camera(name)
      } else {
        return nil
      }
    }

    package var description: String {
      switch self {
      case .camera(let name): "camera:\(name)"
      case .operator: "operator"
      }
    }
  }

  /// The name by which it is revoked, 8 hexadecimal digits. It gives no access.
  package let id: String
  /// What it opens.
  package let scope: Scope
  /// When it was made, in whole seconds since 1970.
  package let made: Int64
  /// What the server compares.
  package let digest: TokenDigest
  /// What it is for, in the operator's words.
  package let note: String

  init(id: String, scope: Scope, made: Int64, digest: TokenDigest, note: String) {
    (self.id, self.scope, self.made, self.digest, self.note) = (id, scope, made, digest, note)
  }

  /// Its line in the file: id, what it opens, when it was made, digest, note.
  var line: String { "\(id) \(scope) \(made) \(digest) \(note)" }

  /// Up to the end of the year 9999.
  private static let times: ClosedRange<Int64> = 0...253_402_300_799

  /// Reads a line; `nil` if it is none.
  init?(line: Substring) {
    let pieces = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
    guard pieces.count >= 4, (1...32).contains(pieces[0].utf8.count), let scope = Scope(pieces[1]),
      let made = Int64(pieces[2]), Self.times.contains(made), let digest = TokenDigest(pieces[3])
    else { return nil }
    self.init(
      id: String(pieces[0]), scope: scope, made: made, digest: digest, note: pieces.count == 5 ? String(pieces[4]) : "")
  }

  /// The most characters of a note.
  package static let mostNote = 80

  /// A note without signs that end a line or are not shown.
  static func cleaned(_ note: String) -> String {
    let shown = note.unicodeScalars.map { scalar -> Unicode.Scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: " "
      default: scalar
      }
    }
    let text = String(String.UnicodeScalarView(shown)).split(separator: " ").joined(separator: " ")
    return String(text.prefix(mostNote))
  }
}
