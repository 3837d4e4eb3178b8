import Crypto

/// A secret that opens a door: 128 random bits, which nobody guesses.
package struct AccessToken: Hashable, Sendable {
  /// The token as it is shown to the door: 32 hexadecimal digits.
  package let text: String

  /// A new token of the system's random numbers.
  package init() { text = SymmetricKey(size: .bits128).withUnsafeBytes { $0.hex } }

  /// What the server keeps of it.
  package var digest: TokenDigest { TokenDigest(of: text) }
}
