import Crypto

/// What the server stores of a token: its SHA-256, which gives no access.
///
/// A plain hash is enough for tokens of 128 random bits, as `quietcam token` makes them, because they cannot be
/// guessed.
package struct TokenDigest: Hashable, Sendable {
  /// The 32 bytes of the digest.
  let bytes: [UInt8]

  /// The digest of a token.
  package init(of token: some StringProtocol) { bytes = Array(SHA256.hash(data: Array(token.utf8))) }

  /// Reads `sha256:` and 64 hexadecimal digits; `nil` for anything else.
  package init?(_ text: some StringProtocol) {
    guard text.hasPrefix(Self.prefix), let bytes = [UInt8](hex: text.dropFirst(Self.prefix.count)),
      bytes.count == SHA256.byteCount
    else { return nil }
    self.bytes = bytes
  }

  /// The prefix of a digest in text.
  package static let prefix = "sha256:"

  /// Whether this is the token. Takes the same time for every wrong token of a length.
  package func matches(_ shown: some StringProtocol) -> Bool {
    // Crypto compares digests in constant time.
    SHA256.hash(data: Array(shown.utf8)) == bytes
  }
}

extension TokenDigest: CustomStringConvertible {
  /// `sha256:` and 64 hexadecimal digits, the form in the configuration.
  package var description: String { Self.prefix + bytes.hex }
}
