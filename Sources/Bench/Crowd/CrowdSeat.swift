import NIOCore
import NIOPosix
import NIOSSL

/// A place in a crowd from which one viewer after another watches. All of it happens on one event loop.
final class CrowdSeat {
  private let way: CrowdWay
  private let target: CrowdTarget
  /// The address that its connections come from; `nil` for the system's choice.
  private let source: SocketAddress?
  private let tally: NIOLoopBoundBox<CrowdTally>
  private var connection: CrowdConnection?
  private var events: CrowdEvents?
  private var isClosed = false

  /// An empty place.
  init(_ way: CrowdWay, target: CrowdTarget, source: SocketAddress?, tally: NIOLoopBoundBox<CrowdTally>) {
    (self.way, self.target, self.source, self.tally) = (way, target, source, tally)
  }

  /// A viewer comes, after the one before has left.
  ///
  /// - Returns: fails if the server takes no connection.
  func sit() -> EventLoopFuture<Void> {
    tally.value.came += 1
    let connection = CrowdConnection(way, host: target.host, path: target.path, tally: tally) { [weak self] in
      self?.reopen($0)
    }
    self.connection = connection
    let opened = open(connection)
    guard way == .photos else { return opened }
    let seat = NIOLoopBound(self, eventLoop: tally.eventLoop)
    let events = CrowdEvents(host: target.host, path: target.path, tally: tally) { photo in
      // The viewer's pictures may come by another connection by now.
      seat.value.connection?.announce(photo)
    }
    self.events = events
    return opened.and(open(events)).map { _ in }
  }

  /// The viewer leaves, whatever is on its way, and another one comes.
  func change() {
    tally.value.left += 1
    leave()
    sit().whenFailure { [tally] _ in tally.value.note("a connection was refused") }
  }

  /// The viewer leaves for good.
  func close() {
    isClosed = true
    leave()
  }

  private func leave() {
    connection?.leave()
    events?.leave()
    (connection, events) = (nil, nil)
  }

  /// Opens another connection for a viewer whose own was closed by the server.
  private func reopen(_ closed: CrowdConnection) {
    guard !isClosed, closed === connection else { return }
    let next = CrowdConnection(after: closed)
    connection = next
    open(next).whenFailure { [tally] _ in tally.value.note("a connection was refused") }
  }

  private func open(_ handler: any ChannelHandler) -> EventLoopFuture<Void> {
    let bound = NIOLoopBound(handler, eventLoop: tally.eventLoop)
    var bootstrap = ClientBootstrap(group: tally.eventLoop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(.seconds(20))
      .channelInitializer { [target] channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let tls = target.tls {
            try pipeline.addHandler(NIOSSLClientHandler(context: tls.context, serverHostname: tls.name))
          }
          try pipeline.addHandler(bound.value)
        }
      }
    if let source { bootstrap = bootstrap.bind(to: source) }
    return bootstrap.connect(to: target.address).map { _ in }
  }
}
