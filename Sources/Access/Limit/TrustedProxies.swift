import NIOCore

/// The proxies whose word on where a request comes from is taken: addresses and networks, as the setting
/// `trusted-proxies` names them.
package struct TrustedProxies: Hashable, Sendable {
  /// One address, or all that begin with the same bits.
  private struct Network: Hashable {
    /// 16 bytes; those of an IPv4 address are mapped (RFC 4291, section 2.5.5.2).
    let bytes: [UInt8]
    /// How many bits of them count.
    let bits: Int
    let text: String

    func contains(_ other: [UInt8]) -> Bool {
      guard other.count == bytes.count else { return false }
      let (whole, rest) = (bits / 8, bits % 8)
      guard bytes[..<whole] == other[..<whole] else { return false }
      return rest == 0 || (bytes[whole] ^ other[whole]) >> (8 - rest) == 0
    }
  }

  /// The most addresses and networks.
  private static let most = 100

  private let networks: [Network]

  /// Those on this machine.
  package static let thisMachine = TrustedProxies("127.0.0.0/8 ::1")!
  /// None.
  package static let none = TrustedProxies(networks: [])

  private init(networks: [Network]) { self.networks = networks }

  /// Reads addresses and networks with spaces or commas between them, such as `127.0.0.1 10.0.0.0/8 2001:db8::/32`.
  ///
  /// - Returns: `nil` where one of them is neither, has bits beyond its length, or there are more than 100.
  package init?(_ text: some StringProtocol) {
    let words = text.split { $0 == " " || $0 == "," }
    guard (1...Self.most).contains(words.count) else { return nil }
    var networks: [Network] = []
    for word in words {
      guard let network = Self.network(word) else { return nil }
      networks.append(network)
    }
    self.networks = networks
  }

  /// The networks as they were written; `none` where there are none.
  package var text: String { networks.isEmpty ? "none" : networks.map(\.text).joined(separator: " ") }

  /// Whether this is one of them. What comes by a socket without an address comes from this machine.
  package func contains(_ address: ClientAddress) -> Bool {
    let bytes = address.bytes.isEmpty ? ClientAddress.loopback : address.bytes
    return networks.contains { $0.contains(bytes) }
  }

  private static func network(_ word: some StringProtocol) -> Network? {
    let halves = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = halves.first, let socket = try? SocketAddress(ipAddress: String(first), port: 0) else {
      return nil
    }
    let bytes = ClientAddress(socket).bytes
    let isV4 = if case .v4 = socket { true } else { false }
    var bits = 128
    if halves.count == 2 {
      guard halves[1].utf8.count <= 3, halves[1].utf8.allSatisfy({ (48...57).contains($0) }),
        let length = Int(halves[1]), (0...(isV4 ? 32 : 128)).contains(length)
      else { return nil }
      bits = length + (isV4 ? 96 : 0)
    }
    // A network that names an address within it is most often a mistake.
    let isClean = (bits..<128).allSatisfy { bytes[$0 / 8] & (0x80 >> ($0 % 8)) == 0 }
    return isClean ? Network(bytes: bytes, bits: bits, text: String(word)) : nil
  }
}
