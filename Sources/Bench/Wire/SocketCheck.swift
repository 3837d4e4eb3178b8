import Foundation

/// The kernel's own count of a connection's bytes, read by the `ss` program: a measurement that does not depend on the
/// counters in the clients.
struct SocketCheck: Sendable {
  /// Bytes of TCP's payload of all connections in the table, by local port.
  private let ports: [Int: (sent: Int, received: Int)]

  /// Reads the table now.
  ///
  /// - Throws: `BenchFailure` if there is no `ss`.
  static func now() async throws -> SocketCheck {
    let text = String(
      decoding: try await ExternalProgram.ss.output(["-tinHO", "state", "established", "dst", "127.0.0.1"]),
      as: UTF8.self)
    return SocketCheck(text)
  }

  /// Reads what `ss -tinHO` printed.
  init(_ text: String) {
    var ports: [Int: (sent: Int, received: Int)] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      // Recv-Q Send-Q Local:Port Peer:Port ...
      guard words.count > 3, let port = words[2].split(separator: ":").last.flatMap({ Int($0) }) else { continue }
      func count(_ name: String) -> Int {
        words.first { $0.hasPrefix(name + ":") }.flatMap { Int($0.dropFirst(name.count + 1)) } ?? 0
      }
      // What was acknowledged was sent; bytes_sent would count retransmissions. The SYN counts as one byte of it.
      ports[port] = (max(0, count("bytes_acked") - 1), count("bytes_received"))
    }
    self.ports = ports
  }

  /// All bytes, both ways, of the connections with these local ports; `nil` if one is no longer in the table.
  func bytes(ofPorts wanted: [Int]) -> Int? {
    let found = wanted.compactMap { ports[$0] }
    guard found.count == wanted.count else { return nil }
    return found.reduce(0) { $0 + $1.sent + $1.received }
  }
}
