import Glibc

/// A listening socket that the process was given.
package struct InheritedSocket: Sendable {
  /// The descriptor, which is the process's from now on.
  let descriptor: CInt
  /// The IP address that it listens at.
  let host: String
  /// The TCP port that it listens at.
  let port: Int

  fileprivate init(_ descriptor: CInt) throws(InheritedSocketError) {
    var (listens, size) = (CInt(0), socklen_t(MemoryLayout<CInt>.size))
    var name = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isNamed = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) == 0 }
    }
    guard isNamed, getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens != 0,
      [AF_INET, AF_INET6].contains(CInt(name.ss_family))
    else { throw InheritedSocketError.doesNotListen(descriptor) }
    let numbers = withUnsafePointer(to: name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { NumericAddress($0, length) }
    }
    guard let numbers else { throw InheritedSocketError.doesNotListen(descriptor) }
    // Nobody that this process may start shall have it.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    self.descriptor = descriptor
    (host, port) = (numbers.host, numbers.port)
  }

  /// Whether it listens just where a door should: no wider and no narrower.
  fileprivate func listens(at address: NumericAddress) -> Bool {
    let everywhere = ["0.0.0.0", "::"]
    let isSameHost = host == address.host || (everywhere.contains(host) && everywhere.contains(address.host))
    return isSameHost && port == address.port
  }

  /// Has the system keep so many connections until they are taken.
  func listen(backlog: CInt) { _ = Glibc.listen(descriptor, backlog) }
}

/// The listening sockets that the service manager keeps for the process, as systemd and others hand them over
/// (sd_listen_fds(3)): they stay open while the process is started anew, so who comes meanwhile waits and is not refused.
package struct InheritedSockets: ~Copyable {
  /// The first descriptor that is handed over.
  private static let first: CInt = 3

  private var sockets: [InheritedSocket] = []

  /// Takes what the environment speaks of, if it speaks of this process.
  ///
  /// - Throws: which descriptor is none that can be used.
  package init(environment: [String: String], process: Int = Int(getpid())) throws(InheritedSocketError) {
    guard environment["LISTEN_PID"].flatMap(Int.init) == process else { return }
    let text = environment["LISTEN_FDS"] ?? ""
    guard let count = CInt(text), (0...64).contains(count) else { throw .isNoCount(text) }
    for index in 0..<count { sockets.append(try InheritedSocket(Self.first + index)) }
  }

  /// Takes out the one that listens at an address; a host name is looked up.
  package mutating func take(host: String, port: Int) -> InheritedSocket? {
    guard !sockets.isEmpty else { return nil }
    let addresses = NumericAddress.all(host: host, port: port)
    guard let place = sockets.firstIndex(where: { addresses.contains(where: $0.listens(at:)) }) else { return nil }
    return sockets.remove(at: place)
  }

  /// Makes sure that none is left: nobody would take its connections.
  ///
  /// - Throws: where the first one left listens.
  package consuming func finish() throws(InheritedSocketError) {
    if let left = sockets.first { throw .isNobodys(host: left.host, port: left.port) }
  }
}

/// An IP address and a port, as the system writes them.
private struct NumericAddress {
  let host: String
  let port: Int

  init?(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
    var (host, port) = ([CChar](repeating: 0, count: Int(NI_MAXHOST)), [CChar](repeating: 0, count: 8))
    let code = getnameinfo(
      address, length, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV)
    func text(_ characters: [CChar]) -> String {
      String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    guard code == 0, let number = Int(text(port)) else { return nil }
    (self.host, self.port) = (text(host), number)
  }

  /// All that a host has.
  static func all(host: String, port: Int) -> [NumericAddress] {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, "\(port)", &hints, &found) == 0 else { return [] }
    defer { freeaddrinfo(found) }
    return sequence(first: found, next: { $0?.pointee.ai_next }).compactMap { entry in
      entry.flatMap { NumericAddress($0.pointee.ai_addr, $0.pointee.ai_addrlen) }
    }
  }
}

/// What is wrong with the sockets that the process was given.
package enum InheritedSocketError: Error, CustomStringConvertible, Equatable {
  /// Nobody can say how many they are.
  case isNoCount(String)
  /// The descriptor is no TCP socket that listens.
  case doesNotListen(CInt)
  /// No door listens just there.
  case isNobodys(host: String, port: Int)

  /// What is wrong and what to do.
  package var description: String {
    switch self {
    case .isNoCount(let text):
      "LISTEN_FDS is \"\(text)\" and LISTEN_PID is this process; it has to be the number of sockets, 0 to 64"
    case .doesNotListen(let descriptor):
      """
      LISTEN_FDS hands over descriptor \(descriptor), which is no listening TCP socket; give the socket unit nothing but \
      ListenStream=HOST:PORT, and Accept=no
      """
    case .isNobodys(let host, let port):
      """
      LISTEN_FDS hands over a socket that listens at \(host.contains(":") ? "[\(host)]" : host):\(port), and no door takes \
      it: --public and --private take one each, of just their address; give them that of the socket unit
      """
    }
  }
}
