/// The two halves of a key for S3-compatible storage. The secret half is never printed.
package struct AccessKey: Hashable, Sendable {
  /// The half that is sent.
  package let id: String
  /// The half that signs.
  let secret: String

  /// A key of these halves.
  package init(id: String, secret: String) {
    self.id = id
    self.secret = secret
  }

  /// Reads `ID:SECRET`, or both with white space between them; `nil` for anything else.
  package init?(_ text: some StringProtocol) {
    let halves = text.split(maxSplits: 1, whereSeparator: { $0 == ":" || $0.isWhitespace })
    guard halves.count == 2 else { return nil }
    let (id, secret) = (halves[0], halves[1].drop(while: \.isWhitespace))
    let isText = { (text: Substring) in
      (1...1024).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
    guard isText(Substring(id)), isText(Substring(secret)), !id.contains("/"), !id.contains(",") else { return nil }
    self.init(id: String(id), secret: String(secret))
  }
}

extension AccessKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The half that is no secret.
  package var description: String { id }
  /// The same.
  package var debugDescription: String { id }
  /// The same, so that no dump shows the secret.
  package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}
