/// An address to listen on: `127.0.0.1:8080`, `localhost:8080` or `[::1]:8080`.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// An IPv4 address, an IPv6 address without its brackets, or a host name.
  package var host: String
  /// The TCP port; 0 takes any that is free.
  package var port: Int

  /// An address of these parts, unchanged.
  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Reads `HOST:PORT`, with an IPv6 host in brackets (RFC 3986, section 3.2.2); `nil` for anything else.
  package init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let (host, digits) = (text[..<colon], text[text.index(after: colon)...])
    guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy(Self.isDigit), let port = Int(digits),
      port <= 65_535
    else { return nil }
    if host.hasPrefix("["), host.hasSuffix("]") {
      let inner = host.dropFirst().dropLast()
      guard Self.isIPv6(inner) else { return nil }
      self.init(host: inner.lowercased(), port: port)
    } else {
      guard Self.isIPv4(host) || Self.isHostName(host) else { return nil }
      self.init(host: host.lowercased(), port: port)
    }
  }

  /// The hosts to listen at. `localhost` is both loopbacks, whatever the system's table of hosts says: browsers try one,
  /// scripts the other (RFC 6761, section 6.3).
  package var hosts: [String] { host == "localhost" ? ["127.0.0.1", "::1"] : [host] }

  /// Whether two doors cannot have both: the same port at one host, or at all hosts of a kind.
  func collides(with other: ListenAddress) -> Bool {
    guard port == other.port, port != 0 else { return false }
    return hosts.contains { mine in
      other.hosts.contains { theirs in
        mine == theirs || Self.covers(mine, theirs) || Self.covers(theirs, mine)
      }
    }
  }

  private static func covers(_ all: String, _ host: String) -> Bool {
    switch all {
    case "0.0.0.0": isIPv4(host) || host == "::"
    case "::": isIPv4(host) || isIPv6(host)
    default: false
    }
  }

  /// `HOST:PORT`, with an IPv6 host in brackets.
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  private static func isIPv4(_ text: some StringProtocol) -> Bool {
    let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 4
      && numbers.allSatisfy { number in
        (1...3).contains(number.utf8.count) && number.utf8.allSatisfy(isDigit)
          && (number == "0" || !number.hasPrefix("0")) && UInt8(number) != nil
      }
  }

  private static func isIPv6(_ text: some StringProtocol) -> Bool {
    let halves = String(text).split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return false }
    let groups = halves.flatMap { half in
      half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false)
    }
    let isEmbedded = groups.last.map { isIPv4($0) } ?? false
    let plain = isEmbedded ? groups.dropLast() : groups[...]
    let count = plain.count + (isEmbedded ? 2 : 0)
    return plain.allSatisfy { (1...4).contains($0.utf8.count) && $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
      && (halves.count == 2 ? count <= 7 : count == 8)
  }

  /// Letters, digits and hyphens between dots (RFC 1123, section 2.1); the last label is not a number, so that a
  /// mistyped IPv4 address is not looked up.
  private static func isHostName(_ text: some StringProtocol) -> Bool {
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    return text.utf8.count <= 253
      && labels.allSatisfy { label in
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
          && label.utf8.allSatisfy { isDigit($0) || (97...122).contains($0 | 32) || $0 == UInt8(ascii: "-") }
      } && !(labels.last?.utf8.allSatisfy(isDigit) ?? true)
  }
}
