import Glibc

/// A listening socket that the process got from the service manager.
package struct InheritedSocket: Sendable {
  /// The descriptor, now owned by the process.
  let descriptor: CInt
  /// The IP address that it listens on.
  let host: String
  /// The TCP port that it listens on.
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
    // Child processes must not get it.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    self.descriptor = descriptor
    (host, port) = (numbers.host, numbers.port)
  }

  /// Whether it listens exactly on a listener's address: no wider and no narrower.
  fileprivate func listens(at address: NumericAddress) -> Bool {
    let everywhere = ["0.0.0.0", "::"]
    let isSameHost = host == address.host || (everywhere.contains(host) && everywhere.contains(address.host))
    return isSameHost && port == address.port
  }

  /// Sets how many connections the system queues until they are accepted.
  func listen(backlog: CInt) { _ = Glibc.listen(descriptor, backlog) }
}

/// The listening sockets that the service manager holds for the process, as systemd and others pass them
/// (sd_listen_fds(3)). They stay open while the process is restarted, so clients that connect in between wait and are
/// not refused.
package struct InheritedSockets: ~Copyable {
  /// The first descriptor that is passed.
  private static let first: CInt = 3

  private var sockets: [InheritedSocket] = []

  /// Takes the descriptors that the environment names, if it names this process.
  ///
  /// - Throws: which descriptor cannot be used.
  package init(environment: [String: String], process: Int = Int(getpid())) throws(InheritedSocketError) {
    guard environment["LISTEN_PID"].flatMap(Int.init) == process else { return }
    let text = environment["LISTEN_FDS"] ?? ""
    guard let count = CInt(text), (0...64).contains(count) else { throw .isNoCount(text) }
    for index in 0..<count { sockets.append(try InheritedSocket(Self.first + index)) }
  }

  /// Removes and returns the one that listens on an address; a host name is looked up.
  package mutating func take(host: String, port: Int) -> InheritedSocket? {
    guard !sockets.isEmpty else { return nil }
    let addresses = NumericAddress.all(host: host, port: port)
    guard let place = sockets.firstIndex(where: { addresses.contains(where: $0.listens(at:)) }) else { return nil }
    return sockets.remove(at: place)
  }

  /// Checks that none is left: nobody would accept its connections.
  ///
  /// - Throws: the address of the first one left.
  package consuming func finish() throws(InheritedSocketError) {
    if let left = sockets.first { throw .isNobodys(host: left.host, port: left.port) }
  }
}

/// An IP address and a port, in the system's form.
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

  /// All addresses of a host.
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

/// What is wrong with the passed sockets.
package enum InheritedSocketError: Error, CustomStringConvertible, Equatable {
  /// Their number is not valid.
  case isNoCount(String)
  /// The descriptor is not a listening TCP socket.
  case doesNotListen(CInt)
  /// No listener has exactly this address.
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
