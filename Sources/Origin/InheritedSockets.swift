import Glibc

/// A listening socket that the process was given.
public struct InheritedSocket: Sendable {
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
    var (host, port) = ([CChar](repeating: 0, count: Int(NI_MAXHOST)), [CChar](repeating: 0, count: 8))
    let code = withUnsafePointer(to: name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getnameinfo(
          $0, length, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV)
      }
    }
    func text(_ characters: [CChar]) -> String {
      String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    guard code == 0, let number = Int(text(port)) else { throw InheritedSocketError.doesNotListen(descriptor) }
    // Nobody that this process may start shall have it.
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    self.descriptor = descriptor
    self.host = text(host)
    self.port = number
  }

  /// Has the system keep so many connections until they are taken.
  func listen(backlog: CInt) { _ = Glibc.listen(descriptor, backlog) }
}

/// The listening sockets that the service manager keeps for the process, as systemd and others hand them over
/// (sd_listen_fds(3)): they stay open while the process is started anew, so who comes meanwhile waits and is not refused.
public struct InheritedSockets: ~Copyable {
  /// The first descriptor that is handed over.
  private static let first: CInt = 3

  private var sockets: [InheritedSocket] = []

  /// Takes what the environment speaks of, if it speaks of this process.
  ///
  /// - Throws: which descriptor is none that can be used.
  public init(environment: [String: String], process: Int = Int(getpid())) throws(InheritedSocketError) {
    guard environment["LISTEN_PID"].flatMap(Int.init) == process,
      let count = environment["LISTEN_FDS"].flatMap(CInt.init), (0...64).contains(count)
    else { return }
    for index in 0..<count { sockets.append(try InheritedSocket(Self.first + index)) }
  }

  /// Takes out the one that listens at this port, and at this host where there are several.
  public mutating func take(host: String, port: Int) -> InheritedSocket? {
    let fitting = sockets.indices.filter { sockets[$0].port == port }
    guard let place = fitting.first(where: { sockets[$0].host == host }) ?? fitting.first else { return nil }
    return sockets.remove(at: place)
  }

  /// Makes sure that none is left: nobody would take its connections.
  ///
  /// - Throws: where the first one left listens.
  public consuming func finish() throws(InheritedSocketError) {
    if let left = sockets.first { throw .isNobodys(host: left.host, port: left.port) }
  }
}

/// What is wrong with a socket that the process was given.
public enum InheritedSocketError: Error, CustomStringConvertible, Equatable {
  /// The descriptor is no TCP socket that listens.
  case doesNotListen(CInt)
  /// Neither address has its port.
  case isNobodys(host: String, port: Int)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .doesNotListen(let descriptor):
      """
      LISTEN_FDS hands over descriptor \(descriptor), which is no listening TCP socket; give the socket unit nothing but \
      ListenStream=HOST:PORT, and Accept=no
      """
    case .isNobodys(let host, let port):
      """
      LISTEN_FDS hands over a socket that listens at \(host.contains(":") ? "[\(host)]" : host):\(port), and neither \
      --public nor --private has that port; give both the port that the socket unit has
      """
    }
  }
}
