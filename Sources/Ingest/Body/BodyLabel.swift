import Media

/// What a request's head says about its body. It is a hint: the bytes decide.
package struct BodyLabel: Hashable, Sendable {
  /// The media type in lower case, without parameters; empty if the head has none.
  package let type: String
  /// The boundary of a multipart type, without quotes.
  package let boundary: String?
  /// Whether the head has no length, so that the body can be a stream without an end.
  package let isOpenEnded: Bool

  /// Reads a `Content-Type` (RFC 9110, section 8.3; RFC 2046, section 5.1.1).
  package init(contentType: String?, isOpenEnded: Bool) {
    let (value, parameters) = HeaderValue.parse(contentType ?? "")
    type = value.lowercased()
    boundary = type.hasPrefix("multipart/") ? parameters["boundary"].flatMap { $0.isEmpty ? nil : $0 } : nil
    self.isOpenEnded = isOpenEnded
  }

  /// Whether the body should be a form with one still among its fields.
  var isForm: Bool { type == "multipart/form-data" }

  /// Whether the body is to be the fields of a form as one line of text.
  var isURLEncoded: Bool { type == "application/x-www-form-urlencoded" }

  /// The most bytes that the whole body may announce when one still may have `stillBytes`; `nil` for a stream.
  ///
  /// - Parameter choice: which picture of several is taken: where it is not the first, all of them have to be let in.
  package func mostBytes(stillBytes: Int, choice: StillChoice = .first) -> Int? {
    // Fields beside the picture, and the wrapping.
    let others = 1 << 20
    // A doorbell sends two or three pictures together.
    let all = choice == .first ? stillBytes : 4 * stillBytes
    let encoded = all / 3 * 4 + others
    if isForm { return encoded }
    if type.hasPrefix("multipart/") { return nil }
    // Of base64 few characters are written as three.
    if isURLEncoded { return encoded + encoded / 4 }
    return type.contains("json") || type.hasPrefix("text/") ? encoded : stillBytes
  }
}

/// A header field's value with its parameters.
enum HeaderValue {
  /// The value before the first semicolon, and the parameters after it by their names in lower case. Quotes are removed
  /// (RFC 9110, section 5.6.6), and what is not a parameter is ignored.
  static func parse(_ text: some StringProtocol) -> (value: String, parameters: [String: String]) {
    var pieces: [String] = [""]
    var isQuoted = false
    var isEscaped = false
    for character in text.unicodeScalars {
      if isEscaped {
        isEscaped = false
      } else if isQuoted, character == "\\" {
        isEscaped = true
        continue
      } else if character == "\"" {
        isQuoted.toggle()
        continue
      } else if character == ";", !isQuoted {
        pieces.append("")
        continue
      }
      pieces[pieces.count - 1].unicodeScalars.append(character)
    }
    var parameters: [String: String] = [:]
    for piece in pieces.dropFirst() {
      let sides = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2 else { continue }
      let name = trimmed(sides[0]).lowercased()
      if parameters[name] == nil { parameters[name] = trimmed(sides[1]) }
    }
    return (trimmed(pieces[0]), parameters)
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let isSpace = { (scalar: Unicode.Scalar) in scalar == " " || scalar == "\t" || scalar == "\r" || scalar == "\n" }
    var scalars = text.unicodeScalars.drop(while: isSpace)
    while let last = scalars.last, isSpace(last) { scalars = scalars.dropLast() }
    return String(String.UnicodeScalarView(scalars))
  }
}
