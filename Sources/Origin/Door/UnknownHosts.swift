import Hummingbird
import Logging
import NIOConcurrencyHelpers

/// Refuses requests to the private address that name a host which it does not know.
struct UnknownHosts: Sendable {
  /// How many names get a line in the log. Whoever makes names up must not fill it.
  private static let mostTold = 16

  private let hosts: PrivateHosts
  private let logger: Logger
  private let told = NIOLockedValueBox<Set<String>>([])

  init(_ hosts: PrivateHosts, logger: Logger) {
    self.hosts = hosts
    self.logger = logger
  }

  /// The answer to a request for a host that is not known; `nil` for all others.
  func refusal(of request: Request) -> Response? {
    let authority = request.head.authority
    guard !hosts.admits(authority) else { return nil }
    let name = authority.flatMap { PrivateHosts.name(of: $0) }
    if let name { tellOnce(name) }
    return Reply.error(
      request, .misdirectedRequest, "unknownHost",
      "the private address is not asked by this host name; ask by its IP address, or add \(name ?? "the name") to the "
        + "server's private-hosts")
  }

  private func tellOnce(_ name: String) {
    let isNew = told.withLockedValue { $0.count < Self.mostTold && $0.insert(name).inserted }
    guard isNew else { return }
    logger.warning(
      "a request to the private address was refused for its host name; if it is a name of yours, add it to private-hosts",
      metadata: ["host": "\(name)"])
  }
}
