import Access
import HTTPTypes
import Hummingbird

/// The absolute address of the public listener as visitors see it, with a slash at its end. It is used for what other
/// sites read of a page; the pages themselves only need relative addresses.
///
/// It is the setting `base-url`. Without it, it is made from the request's own `Host`, which is a part of every cache
/// key. From a proxy in a private network the scheme and the prefix are used too, if they have a valid form; never a
/// host from `X-Forwarded-Host`, which many proxies forward from any client.
enum OutsideAddress {
  /// The address; `nil` if the request does not contain it.
  static func of(_ request: Request, client: ClientAddress, isSecure: Bool, site: SitePolicy) -> String? {
    if let configured = site.baseURL { return configured }
    guard let host = request.head.authority, isHost(host) else { return nil }
    var (scheme, prefix) = (isSecure ? "https" : "http", "/")
    if client.isLocal {
      let fields = request.headers
      let forwardedScheme = (Visitor.forwarded(fields, "proto") ?? fields[.xForwardedProto])?.lowercased()
      if let forwardedScheme, forwardedScheme == "http" || forwardedScheme == "https" { scheme = forwardedScheme }
      if let forwardedPrefix = fields[.xForwardedPrefix], isPrefix(forwardedPrefix) {
        prefix = forwardedPrefix.hasSuffix("/") ? forwardedPrefix : forwardedPrefix + "/"
      }
    }
    return "\(scheme)://\(host.lowercased())\(prefix)"
  }

  /// Whether a text can be a host with or without a port.
  static func isHost(_ text: String) -> Bool {
    (1...255).contains(text.utf8.count)
      && text.utf8.allSatisfy {
        isLetterOrDigit($0) || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":")].contains($0)
          || [UInt8(ascii: "["), UInt8(ascii: "]")].contains($0)
      }
  }

  /// Whether a text can be the folder that a proxy has removed.
  static func isPrefix(_ text: String) -> Bool {
    guard text.hasPrefix("/"), text.utf8.count <= 200 else { return false }
    let pieces = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    return pieces.enumerated().allSatisfy { index, piece in
      if piece.isEmpty { return index == pieces.count - 1 }
      return piece.utf8.allSatisfy { isLetterOrDigit($0) || Array("-._~".utf8).contains($0) }
        && !piece.allSatisfy { $0 == "." }
    }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }
}
