import Access
import HTTPTypes

/// Where a request comes from, as far as its connection and the proxy next to this server say.
///
/// What a proxy says is used only if the proxy is on this machine or in a private network, and only its last entry:
/// everything before that in the header was written by others.
struct Visitor: Hashable {
  /// The IPv4 address, or the network of an IPv6 address.
  let address: String
  /// Whether it can be the address of a proxy with many visitors behind it.
  let isShared: Bool

  init(_ fields: HTTPFields, client: ClientAddress) {
    guard client.isLocal else {
      (address, isShared) = (client.key, false)
      return
    }
    if let named = Self.forwarded(fields, "for").flatMap({ ClientAddress(named: $0) }) {
      (address, isShared) = (named.key, false)
    } else if let last = fields[.xForwardedFor].flatMap({ $0.split(separator: ",").last }),
      let named = ClientAddress(named: trimmed(last))
    {
      (address, isShared) = (named.key, false)
    } else {
      (address, isShared) = (client.key, true)
    }
  }

  /// A parameter of the newest element of `Forwarded` (RFC 7239, section 4).
  static func forwarded(_ fields: HTTPFields, _ name: String) -> String? {
    guard let element = fields[.forwarded].flatMap({ $0.split(separator: ",").last }) else { return nil }
    for pair in element.split(separator: ";") {
      let halves = pair.split(separator: "=", maxSplits: 1).map(trimmed)
      guard halves.count == 2, halves[0].lowercased() == name else { continue }
      return halves[1].filter { $0 != "\"" }
    }
    return nil
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
