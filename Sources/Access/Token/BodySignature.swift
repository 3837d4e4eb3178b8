import Crypto
import Media
import NIOCore

/// The signature of one body, checked while the body is received. For cameras without TLS, whose token could be read on
/// the network.
///
/// The camera sends `X-Quietcam-Time`, the seconds since 1970 with up to nine decimals, and `X-Quietcam-Signature`, the
/// hexadecimal HMAC-SHA256 (RFC 2104) of
///
///     TIME \n CAMERA \n HEX(SHA-256(body))
///
/// without the spaces. The key is the text `HEX(SHA-256(token))` in lower case, so that the server can check the
/// signature with the digest that it stores.
package struct BodySignature: Sendable {
  /// Why a signature is refused.
  package struct Refusal: Error, Hashable, Sendable {
    /// What is wrong and what to do, as one sentence without a secret.
    package let detail: String
    /// Whether it suggests that the sender does not know the token.
    package let isWrong: Bool
  }

  /// How many seconds a camera's clock can be off. A signature is remembered for that long and refused if it comes
  /// again.
  package static let window: Int64 = 60

  private let prefix: [UInt8]
  private let key: SymmetricKey
  private var hash = SHA256()
  /// The signature that was sent.
  let signature: [UInt8]
  /// The whole seconds that were sent.
  let time: Int64
  /// The time that was sent, in nanoseconds since 1970.
  let moment: Int64

  /// Reads the two headers of a request, before its body.
  ///
  /// - Throws: if they are malformed or the time is not now.
  package init(
    time: some StringProtocol, signature: some StringProtocol, camera: CameraName, digest: TokenDigest, now: WallTime
  ) throws(Refusal) {
    guard let seconds = Self.seconds(time) else {
      throw Refusal(
        detail: "X-Quietcam-Time is not a time; send the seconds since 1970, such as 1790000000 or 1790000000.25",
        isWrong: false)
    }
    guard let bytes = [UInt8](hex: signature), bytes.count == SHA256.byteCount else {
      throw Refusal(
        detail: "X-Quietcam-Signature is not a signature; send 64 hexadecimal digits of HMAC-SHA256", isWrong: false)
    }
    let lag = now.milliseconds / 1000 - seconds
    guard abs(lag) <= Self.window else {
      throw Refusal(
        detail: "X-Quietcam-Time is \(abs(lag)) s \(lag > 0 ? "behind" : "ahead"); set the camera's clock, for example "
          + "from this answer's Date", isWrong: false)
    }
    self.signature = bytes
    self.time = seconds
    moment = seconds * 1_000_000_000 + Self.nanoseconds(time)
    prefix = Array("\(time)\n\(camera)\n".utf8)
    key = SymmetricKey(data: Array(digest.bytes.hex.utf8))
  }

  /// Adds the next bytes of the body, in order.
  package mutating func update(_ bytes: ByteBuffer) {
    bytes.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
  }

  /// Whether the signature matches the time, the camera and all bytes that were added.
  package var isValid: Bool {
    let message = prefix + Array(hash.finalize().hex.utf8)
    return HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: message, using: key)
  }

  private static func seconds(_ text: some StringProtocol) -> Int64? {
    let pieces = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard isNumber(pieces[0], digits: 1...11), pieces.count == 1 || isNumber(pieces[1], digits: 1...9) else {
      return nil
    }
    return Int64(pieces[0])
  }

  private static func nanoseconds(_ text: some StringProtocol) -> Int64 {
    guard let point = text.firstIndex(of: ".") else { return 0 }
    let digits = text[text.index(after: point)...]
    return Int64(digits + String(repeating: "0", count: 9 - digits.utf8.count)) ?? 0
  }

  private static func isNumber(_ text: some StringProtocol, digits: ClosedRange<Int>) -> Bool {
    digits.contains(text.utf8.count) && text.utf8.allSatisfy { (48...57).contains($0) }
  }
}
