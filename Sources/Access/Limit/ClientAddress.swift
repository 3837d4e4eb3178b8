import NIOCore

/// The address of a client, as limits count it.
package struct ClientAddress: Hashable, Sendable {
  /// The IPv4 address, or the first 64 bits of an IPv6 address: one client has all addresses below them.
  package let key: String
  /// Whether it is on this machine or in a private network (RFC 1918, RFC 4193, link-local).
  package let isLocal: Bool
  /// The 16 bytes of the address, those of an IPv4 address mapped (RFC 4291, section 2.5.5.2); empty where it comes by a
  /// socket without one.
  let bytes: [UInt8]

  static let loopback: [UInt8] = mapped([127, 0, 0, 1])

  /// Limits count the same what has the same key.
  package static func == (left: ClientAddress, right: ClientAddress) -> Bool { left.key == right.key }

  /// Hashes the key.
  package func hash(into hasher: inout Hasher) { hasher.combine(key) }

  /// The client at the other end of a connection.
  package init(_ address: SocketAddress?) {
    switch address {
    case .v4?: self.init(v4: Self.bytes(of: address, at: 4, count: 4))
    case .v6?: self.init(v6: Self.bytes(of: address, at: 8, count: 16))
    case .unixDomainSocket?, nil: self.init(key: "local", isLocal: true, bytes: [])
    }
  }

  /// The client that a proxy names: an IP address, with or without a port, a IPv6 address with a port in brackets.
  ///
  /// - Returns: `nil` where the text is no address.
  package init?(named text: some StringProtocol) {
    var host = String(text)
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      host = String(host[host.index(after: host.startIndex)..<end])
    } else if host.count(where: { $0 == ":" }) == 1, let colon = host.firstIndex(of: ":") {
      host = String(host[..<colon])
    }
    guard host.utf8.count <= 45, let address = try? SocketAddress(ipAddress: host, port: 0) else { return nil }
    self.init(address)
  }

  private init(key: String, isLocal: Bool, bytes: [UInt8]) {
    self.key = key
    self.isLocal = isLocal
    self.bytes = bytes
  }

  private static func mapped(_ v4: [UInt8]) -> [UInt8] { [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + v4 }

  private init(v4 bytes: [UInt8]) {
    let isLocal =
      switch (bytes[0], bytes[1]) {
      case (127, _), (10, _), (192, 168), (169, 254), (172, 16...31), (100, 64...127): true
      default: false
      }
    self.init(key: bytes.map { "\($0)" }.joined(separator: "."), isLocal: isLocal, bytes: Self.mapped(bytes))
  }

  private init(v6 bytes: [UInt8]) {
    if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
      self.init(v4: Array(bytes[12...]))
      return
    }
    let isLoopback = bytes[..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
    let isPrivate = bytes[0] & 0xFE == 0xFC || (bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80)
    self.init(key: "\(bytes[..<8].hex)::/64", isLocal: isLoopback || isPrivate, bytes: bytes)
  }

  /// The address within `sockaddr_in` or `sockaddr_in6` (POSIX, netinet/in.h).
  private static func bytes(of address: SocketAddress?, at offset: Int, count: Int) -> [UInt8] {
    address?.withSockAddr { pointer, size in
      Array(UnsafeRawBufferPointer(start: pointer, count: size)[offset..<offset + count])
    } ?? []
  }
}
