import Glibc
import Media
import NIOCore

/// Why nothing can be taken at an address, as one sentence that says what to do.
package struct ListenError: Error, CustomStringConvertible, Sendable {
  /// The sentence.
  package let description: String
  /// Whether something listens there already.
  let isTaken: Bool
  /// Whether this machine does not have the address.
  let isOfNoSuchAddress: Bool

  /// An error of the system or of NIO.
  init(host: String, port: Int, _ error: any Error) {
    let code = (error as? IOError)?.errnoCode
    isTaken = code == EADDRINUSE
    isOfNoSuchAddress = code == EADDRNOTAVAIL || code == EAFNOSUPPORT
    let place = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    description = "cannot listen on \(place): " + Self.advice(code, port: port, error)
  }

  private static func advice(_ code: CInt?, port: Int, _ error: any Error) -> String {
    let other = "choose another with --public or --private"
    switch code {
    case EADDRINUSE: return "another server is there; end it, or \(other)"
    case EACCES where port < 1024, EPERM where port < 1024:
      return """
        ports below 1024 need a right that this user does not have; give it to the program with \
        `sudo setcap cap_net_bind_service=+ep FILE`, in a systemd unit with AmbientCapabilities=CAP_NET_BIND_SERVICE, in a \
        container with `--sysctl net.ipv4.ip_unprivileged_port_start=80`, or let a web server or a socket unit stand \
        before a port from 1024 on, and \(other)
        """
    case EADDRNOTAVAIL, EAFNOSUPPORT:
      return "this machine does not have the address; `ip address` lists those it has, 0.0.0.0 means all, or \(other)"
    case let code?: return "\(SystemAdvice.sentence(code)), or \(other)"
    case nil: return "\(error); give an address of this machine or a name that can be looked up, or \(other)"
    }
  }
}
