import Crypto
import Foundation
import Media

/// Signs messages as Standard Webhooks 1.0 says (standardwebhooks.com, "Signature scheme"): HMAC-SHA256 over
/// `ID.TIMESTAMP.BODY`, as Base64 behind `v1,`. So receivers can use the libraries that exist for it.
package struct WebhookSignature: Sendable {
  private let key: SymmetricKey

  /// A signature with a secret: the bytes of its text, or what follows `whsec_` in Base64.
  package init(secret: String) {
    let prefix = "whsec_"
    let decoded = secret.hasPrefix(prefix) ? Data(base64Encoded: String(secret.dropFirst(prefix.count))) : nil
    key = SymmetricKey(data: decoded ?? Data(secret.utf8))
  }

  /// The three header fields of a message.
  ///
  /// - Parameters:
  ///   - id: the same for each try of a message.
  ///   - time: of this try.
  package func fields(id: String, time: WallTime, body: [UInt8]) -> [(name: String, value: String)] {
    let seconds = time.milliseconds / 1000
    let code = HMAC<SHA256>.authenticationCode(for: Array("\(id).\(seconds).".utf8) + body, using: key)
    return [
      ("webhook-id", id), ("webhook-timestamp", "\(seconds)"),
      ("webhook-signature", "v1,\(Data(code).base64EncodedString())"),
    ]
  }
}
