/// The address of a receiver of messages. It often contains a secret, so it is never logged; `name` is.
package struct WebhookAddress: Hashable, Sendable {
  /// What is requested.
  package let url: String
  /// Scheme, host and port, for logs and reports.
  package let name: String

  /// Reads `http://` or `https://`, a host, and perhaps a port, a path and a query; `nil` for anything else.
  package init?(_ text: some StringProtocol) {
    let text = String(text)
    guard text.utf8.count <= 2000, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }),
      let scheme = ["http://", "https://"].first(where: { text.hasPrefix($0) })
    else { return nil }
    let host = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
    guard Self.isHost(host) else { return nil }
    url = text
    name = scheme + host.lowercased()
  }

  /// Whether a text is a host with or without a port, and without a user.
  private static func isHost(_ text: Substring) -> Bool {
    let hasBrackets = text.first == "["
    var host = text
    var port: Substring?
    if hasBrackets {
      guard let end = text.firstIndex(of: "]") else { return false }
      host = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" else { return false }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      (host, port) = (text[..<colon], text[text.index(after: colon)...])
    }
    if let port {
      guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(port),
        (1...65_535).contains(number)
      else { return false }
    }
    let signs = Array((hasBrackets ? ":." : "-._").utf8)
    return (1...253).contains(host.utf8.count)
      && host.utf8.allSatisfy {
        (48...57).contains($0) || (97...122).contains($0 | 0x20) && $0 > 64 || signs.contains($0)
      }
  }
}
