import Crypto

/// What the server keeps of a token: its SHA-256, which opens nothing.
///
/// A plain hash is enough for tokens of 128 random bits, as `quietcam token` makes them: there is nothing to guess.
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

  /// What a digest begins with where it is written.
  package static let prefix = "sha256:"

  /// Whether this is the token; takes the same time for every wrong one of a length.
  package func matches(_ shown: some StringProtocol) -> Bool {
    // Crypto compares digests in constant time.
    SHA256.hash(data: Array(shown.utf8)) == bytes
  }
}

extension TokenDigest: CustomStringConvertible {
  /// `sha256:` and 64 hexadecimal digits, as the configuration takes it.
  package var description: String { Self.prefix + bytes.hex }
}
