import Access
import HTTPTypes

/// Where a request comes from, as far as its connection and the proxies that the operator named say.
///
/// What stands in `Forwarded` or `X-Forwarded-For` is used only if the connection comes from a named proxy. It is read
/// from its end, where the nearest proxy wrote: entries of named proxies are passed over, and the first other one is the
/// visitor. All before that was written by others.
struct Visitor: Hashable {
  /// The address that limits and counts go by.
  let client: ClientAddress
  /// Whether it can be the address of a proxy with many visitors behind it.
  let isShared: Bool

  /// The IPv4 address, or the network of an IPv6 address.
  var address: String { client.key }

  init(_ fields: HTTPFields, client: ClientAddress, proxies: TrustedProxies) {
    guard proxies.contains(client) else {
      (self.client, isShared) = (client, client.isLocal)
      return
    }
    // Most proxies write X-Forwarded-For, and pass on what a visitor wrote into Forwarded.
    let plain = Self.list(fields, .xForwardedFor)
    let named = plain.isEmpty ? Self.forwardedFor(fields) : plain
    var nearest: ClientAddress?
    for entry in named.reversed() {
      // What is no address, such as `unknown` or `_hidden` (RFC 7239, section 6.3), hides all before it.
      guard let address = ClientAddress(named: entry) else { break }
      nearest = address
      if !proxies.contains(address) { break }
    }
    (self.client, isShared) = (nearest ?? client, nearest == nil)
  }

  /// A parameter of the newest element of `Forwarded` (RFC 7239, section 4).
  static func forwarded(_ fields: HTTPFields, _ name: String) -> String? {
    list(fields, .forwarded).last.flatMap { parameter(name, of: $0) }
  }

  /// Who each element of `Forwarded` names, from the farthest to the nearest. An element that names nobody is an empty
  /// text.
  private static func forwardedFor(_ fields: HTTPFields) -> [String] {
    list(fields, .forwarded).map { parameter("for", of: $0) ?? "" }
  }

  private static func parameter(_ name: String, of element: String) -> String? {
    for pair in element.split(separator: ";") {
      let halves = pair.split(separator: "=", maxSplits: 1).map(trimmed)
      guard halves.count == 2, halves[0].lowercased() == name else { continue }
      return halves[1].filter { $0 != "\"" }
    }
    return nil
  }

  /// The elements of a list that may stand in several lines of the header (RFC 9110, section 5.3).
  private static func list(_ fields: HTTPFields, _ name: HTTPField.Name) -> [String] {
    fields[values: name].flatMap { $0.split(separator: ",") }.suffix(32).map { String(trimmed($0)) }
  }
}

private func trimmed(_ text: Substring) -> Substring {
  var text = text
  while text.first == " " || text.first == "\t" { text.removeFirst() }
  while text.last == " " || text.last == "\t" { text.removeLast() }
  return text
}

extension HTTPField.Name {
  static let forwarded = HTTPField.Name("Forwarded")!
  static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
  static let xForwardedProto = HTTPField.Name("X-Forwarded-Proto")!
  static let xForwardedPrefix = HTTPField.Name("X-Forwarded-Prefix")!
  static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
