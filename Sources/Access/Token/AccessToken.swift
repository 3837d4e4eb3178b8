import Crypto

/// A secret of 128 random bits that gives access.
package struct AccessToken: Hashable, Sendable {
  /// The token as clients send it: 32 hexadecimal digits.
  package let text: String

  /// A new token from the system's random number generator.
  package init() { text = SymmetricKey(size: .bits128).withUnsafeBytes { $0.hex } }

  /// What the server stores of it.
  package var digest: TokenDigest { TokenDigest(of: text) }
}
