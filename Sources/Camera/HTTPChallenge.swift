/// One way to log in that a server offers in `WWW-Authenticate` (RFC 9110, section 11.6.1).
struct HTTPChallenge: Hashable, Sendable {
  /// The scheme in lower case: `basic`, `digest`.
  let scheme: String
  /// The parameters, their names in lower case; if one is given twice, the first counts.
  let parameters: [String: String]

  /// Reads the values of all fields, each of which can have several challenges; what cannot be read is left out, and so is
  /// a field with control characters, because its parameters are sent back (RFC 9110, section 5.5).
  static func all(in fields: [String]) -> [HTTPChallenge] {
    fields.filter { $0.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } }.flatMap(read)
  }

  private static func read(_ field: String) -> [HTTPChallenge] {
    var challenges: [HTTPChallenge] = []
    var scheme: String?
    var parameters: [String: String] = [:]
    func finish() {
      if let scheme { challenges.append(HTTPChallenge(scheme: scheme, parameters: parameters)) }
      parameters = [:]
    }
    var rest = field[...]
    while true {
      rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
      let word = rest.prefix { !" \t,=\"".contains($0) }
      guard !word.isEmpty else { break }
      rest = rest.dropFirst(word.count)
      let behind = rest.drop { $0 == " " || $0 == "\t" }
      guard behind.first == "=" else {
        finish()
        scheme = word.lowercased()
        continue
      }
      rest = behind.dropFirst().drop { $0 == " " || $0 == "\t" }
      var value = ""
      if rest.first == "\"" {
        rest = rest.dropFirst()
        while let character = rest.popFirst(), character != "\"" {
          value.append(character == "\\" ? rest.popFirst() ?? "\\" : character)
        }
      } else {
        value = String(rest.prefix { $0 != "," && $0 != " " && $0 != "\t" })
        rest = rest.dropFirst(value.count)
      }
      if parameters[word.lowercased()] == nil { parameters[word.lowercased()] = value }
    }
    finish()
    return challenges
  }
}
