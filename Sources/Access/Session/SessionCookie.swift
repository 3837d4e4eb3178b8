/// The cookie with the id of an operator's session (RFC 6265).
///
/// Cookies know no ports, so its name has the port: two servers on one host do not write over each other's. Over TLS the
/// name has the prefix `__Host-`, with which browsers take it only from this host and only when it is secure.
package struct SessionCookie: Hashable, Sendable {
  /// The name.
  package let name: String
  private let isSecure: Bool

  /// The cookie of a listener.
  ///
  /// - Parameter isSecure: whether the browser came by HTTPS.
  package init(port: Int, isSecure: Bool) {
    self.isSecure = isSecure
    name = (isSecure ? "__Host-" : "") + "quietcam-\(port)"
  }

  /// The value of `Set-Cookie` that begins a session in the browser, until the browser is closed.
  package func set(_ id: String) -> String { "\(name)=\(id); \(attributes)" }

  /// The value of `Set-Cookie` that removes it.
  package var removal: String { "\(name)=; Max-Age=0; \(attributes)" }

  /// The session's id among the cookies of a request; `nil` if there is none.
  package func id(in cookies: String) -> Substring? {
    for pair in cookies.split(separator: ";") {
      let pair = pair.drop { $0 == " " || $0 == "\t" }
      guard pair.hasPrefix(name), pair.dropFirst(name.count).first == "=" else { continue }
      let value = pair.dropFirst(name.count + 1)
      return value.utf8.count == 32 ? value : nil
    }
    return nil
  }

  private var attributes: String { "Path=/; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "") }
}
