import Crypto
import Media

/// The access to a private camera as a part of its viewers' addresses: `/CAMERA/~EXPIRY.SIGNATURE/...`.
///
/// It is a folder in the path, so every relative address in playlists and pages keeps it without containing it. What is
/// rendered once is good for all viewers, and a cache keeps one copy for all viewers with the same link.
package struct ViewerLink: Hashable, Sendable {
  /// When it ends, in whole seconds since 1970.
  package let expiry: Int64
  private let signature: [UInt8]

  /// Half of the HMAC-SHA256, which RFC 2104, section 5 allows, keeps addresses short.
  private static let signatureBytes = 16

  /// A link to a camera that ends at `expiry`.
  package init(camera: CameraName, expiry: Int64, key: LinkKey) {
    self.expiry = expiry
    signature = Array(key.code(camera: camera, expiry: expiry).prefix(Self.signatureBytes))
  }

  /// Reads the folder's name; `nil` if it does not have the form of a link.
  package init?(_ text: some StringProtocol) {
    guard text.first == "~" else { return nil }
    let pieces = text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
    guard pieces.count == 2, (1...11).contains(pieces[0].utf8.count),
      pieces[0].utf8.allSatisfy({ (48...57).contains($0) }), pieces[0].first != "0", let expiry = Int64(pieces[0]),
      pieces[1].utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }),
      let signature = [UInt8](hex: pieces[1]), signature.count == Self.signatureBytes
    else { return nil }
    self.expiry = expiry
    self.signature = signature
  }

  /// Whether the link was made with this key for this camera; it may have ended.
  package func isGenuine(camera: CameraName, key: LinkKey) -> Bool {
    let code = key.code(camera: camera, expiry: expiry).prefix(Self.signatureBytes)
    // Every byte is compared, so that the time does not say how many are right.
    return zip(code, signature).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// The end of a link that lasts at least `duration` seconds from `now`: a whole hour, or a whole minute for links
  /// shorter than an hour. So links made one after another are the same and share caches.
  package static func expiry(after duration: Int64, from now: Int64) -> Int64 {
    let step: Int64 = duration >= 3600 ? 3600 : 60
    return (now + duration + step - 1) / step * step
  }
}

extension ViewerLink: CustomStringConvertible {
  /// The folder's name.
  package var description: String { "~\(expiry).\(signature.hex)" }
}

/// The secret that links are signed with.
package struct LinkKey: Sendable {
  private let key: SymmetricKey

  /// The key from a secret in the configuration.
  package init(secret: String) { key = SymmetricKey(data: SHA256.hash(data: Array(secret.utf8))) }

  func code(camera: CameraName, expiry: Int64) -> [UInt8] {
    Array(HMAC<SHA256>.authenticationCode(for: Array("link\n\(camera)\n\(expiry)".utf8), using: key))
  }
}

extension LinkKey: Hashable {
  /// Whether two keys are the same.
  package static func == (left: LinkKey, right: LinkKey) -> Bool { left.key == right.key }
  /// Hashes the key's length only: keys are compared, never looked up.
  package func hash(into hasher: inout Hasher) { hasher.combine(key.bitCount) }
}
