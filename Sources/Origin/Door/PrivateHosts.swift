import NIOCore

/// The hosts that a request to the private address can name in its `Host` header.
///
/// A page that a browser loaded from a name of its own can have that name led to this machine afterwards (DNS
/// rebinding). To the browser the answers then belong to the page. Its requests name its host, so who asks by an unknown
/// name gets nothing. An IP address and `localhost` are no names that others could lead here.
package struct PrivateHosts: Sendable, Hashable {
  private let names: Set<String>

  /// The hosts that are always heard, and these names, in any case of letters, without a port.
  package init(names: [String] = []) { self.names = Set(names.map(Self.plain)) }

  /// Whether requests for a host are heard.
  ///
  /// - Parameter authority: `Host`, with or without a port; `nil` where a request by HTTP/1.0 names none, which no
  ///   browser sends.
  package func admits(_ authority: String?) -> Bool {
    guard let authority else { return true }
    guard let host = Self.host(of: authority) else { return false }
    return Self.isAddress(host) || host == "localhost" || names.contains(host)
  }

  /// The host of an authority as it can be shown: `nil` where it is none.
  static func name(of authority: String) -> String? {
    guard let host = host(of: authority), (1...253).contains(host.utf8.count), !host.contains(":"),
      host.utf8.allSatisfy({ isNameSign($0) })
    else { return nil }
    return host
  }

  /// The host without its port, in small letters; an IPv6 address keeps its brackets. `nil` where the port is no number.
  private static func host(of authority: String) -> String? {
    let end: String.Index
    if authority.hasPrefix("[") {
      guard let bracket = authority.firstIndex(of: "]") else { return nil }
      end = authority.index(after: bracket)
    } else {
      end = authority.firstIndex(of: ":") ?? authority.endIndex
    }
    let rest = authority[end...]
    guard rest.isEmpty || (rest.first == ":" && rest.dropFirst().utf8.allSatisfy { (48...57).contains($0) }) else {
      return nil
    }
    return plain(String(authority[..<end]))
  }

  private static func isAddress(_ host: String) -> Bool {
    let isBracketed = host.hasPrefix("[")
    var text = isBracketed ? String(host.dropFirst().dropLast()) : host
    // The zone of a link-local address (RFC 6874).
    if isBracketed, let zone = text.firstIndex(of: "%") { text = String(text[..<zone]) }
    guard let address = try? SocketAddress(ipAddress: text, port: 0) else { return false }
    if case .v6 = address { return isBracketed }
    return !isBracketed
  }

  /// `example.org` and `EXAMPLE.ORG.` are one name.
  private static func plain(_ name: String) -> String {
    let name = name.lowercased()
    return name.hasSuffix(".") ? String(name.dropLast()) : name
  }

  private static func isNameSign(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (97...122).contains(byte) || "-._".utf8.contains(byte)
  }
}
