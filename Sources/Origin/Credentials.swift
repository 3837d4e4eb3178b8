import HTTPTypes

/// Checks what a request shows against a secret.
enum Credentials {
  /// Whether the request carries `Authorization: Bearer` with this token.
  static func bearer(_ fields: HTTPFields, matches token: String) -> Bool {
    guard let header = fields[.authorization] else { return false }
    let pieces = header.split(separator: " ", maxSplits: 1)
    guard pieces.count == 2, pieces[0].lowercased() == "bearer" else { return false }
    return areEqual(pieces[1].drop { $0 == " " }.utf8, token.utf8)
  }

  /// Compares in a time that depends on the length of what was shown only, so that nobody can feel their way to the
  /// secret byte by byte.
  static func areEqual(_ shown: some Collection<UInt8>, _ secret: some Collection<UInt8>) -> Bool {
    let secret = Array(secret)
    var difference = shown.count ^ secret.count
    for (index, byte) in shown.enumerated() {
      difference |= Int(byte ^ (secret.isEmpty ? 0xFF : secret[index % secret.count]))
    }
    return difference == 0
  }
}
