import Crypto

/// A secret of 128 random bits that gives access.
public struct AccessToken: Hashable, Sendable {
  /// The token as clients send it: 32 hexadecimal digits.
  public let text: String

  /// A new token from the system's random number generator.
  public init() { text = SymmetricKey(size: .bits128).withUnsafeBytes { $0.hex } }

  /// What the server stores of it.
  public var digest: TokenDigest { TokenDigest(of: text) }
}
