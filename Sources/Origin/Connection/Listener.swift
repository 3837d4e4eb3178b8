import Hummingbird
import HummingbirdCore
import Logging
import Media
import NIOCore
import NIOExtras
import NIOPosix
import ServiceLifecycle

/// A door's listening sockets and the connections that come by them: what Hummingbird's own server does, for sockets too
/// that the process was given.
struct Listener<Connection: ServerChildChannel>: Service {
  /// How many connections the system queues until they are accepted.
  private static var backlog: CInt { 1024 }

  /// How long the connections that were accepted last have to send their request before the others are closed.
  private static var settling: TimeAmount { .milliseconds(100) }

  let connection: Connection
  let address: ListenerAddress
  /// How many connections are taken at the same time by each socket; the next ones wait in the system's queue.
  let limit: Int
  let logger: Logger
  let onListening: @Sendable (_ port: Int) async -> Void

  /// Accepts connections until the service ends, and lets the open ones finish.
  ///
  /// - Throws: `ListenError` where it cannot listen.
  func run() async throws {
    let sockets = try await listen()
    try await withGracefulShutdownHandler {
      await onListening(sockets.first?.port ?? address.port)
      try await withThrowingDiscardingTaskGroup { group in
        for socket in sockets { group.addTask { try await serve(socket) } }
      }
    } onGracefulShutdown: {
      // A connection that is accepted in the moment when the socket closes would be lost, and NIO ends the process over
      // it. A connection that is not accepted waits for the next process, if that has the same socket.
      for socket in sockets {
        let channel = socket.listening.channel
        channel.setOption(.autoRead, value: false).whenComplete { _ in
          channel.eventLoop.scheduleTask(in: Self.settling) { socket.quiescing.initiateShutdown(promise: nil) }
        }
      }
    }
  }

  private struct Socket: Sendable {
    let listening: NIOAsyncChannel<Connection.Value, Never>
    let quiescing: ServerQuiescingHelper
    var port: Int? { listening.channel.localAddress?.port }
  }

  private func serve(_ socket: Socket) async throws {
    let (connection, logger) = (connection, logger)
    try await withThrowingDiscardingTaskGroup { group in
      do {
        try await socket.listening.executeThenClose { connections in
          for try await taken in connections {
            group.addTask { await connection.handle(value: taken, logger: logger) }
          }
        }
      } catch is CancellationError {
        // Connections that have not ended in time are closed; that is not an error.
      }
    }
  }

  // MARK: Sockets

  /// The sockets of all hosts of the address, on one port.
  private func listen() async throws -> [Socket] {
    if !address.sockets.isEmpty {
      var taken: [Socket] = []
      for socket in address.sockets {
        taken.append(try await listen { try await $0.bind(socket.descriptor, childChannelInitializer: $1) })
        // NIO has shortened the queue of a socket that listened already.
        socket.listen(backlog: Self.backlog)
      }
      return taken
    }
    var tries = address.port == 0 ? 10 : 1
    while true {
      do throws(ListenError) {
        return try await listenAnew()
      } catch {
        // Where any port will do, the one that is free at the first host may be taken at the second.
        tries -= 1
        if tries <= 0 || !error.isTaken { throw error }
      }
    }
  }

  private func listenAnew() async throws(ListenError) -> [Socket] {
    var (open, port): ([Socket], Int) = ([], address.port)
    var missing: ListenError?
    for host in address.hosts {
      do {
        let (chosen, place) = (port, host)
        let socket = try await listen { try await $0.bind(host: place, port: chosen, childChannelInitializer: $1) }
        port = socket.port ?? port
        open.append(socket)
      } catch {
        let error = ListenError(host: host, port: port, error)
        // A machine without IPv6 has one loopback, and the other is no reason to end.
        if address.hosts.count > 1, error.isOfNoSuchAddress {
          missing = error
          continue
        }
        for socket in open { try? await socket.listening.channel.close() }
        throw error
      }
    }
    if open.isEmpty, let missing { throw missing }
    return open
  }

  private typealias Setup = @Sendable (any Channel) -> EventLoopFuture<Connection.Value>

  private func listen(
    _ bind: (ServerBootstrap, @escaping Setup) async throws -> NIOAsyncChannel<Connection.Value, Never>
  ) async throws -> Socket {
    let (connection, logger, limit) = (connection, logger, limit)
    let quiescing = ServerQuiescingHelper(group: MultiThreadedEventLoopGroup.singleton)
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: Self.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(AcceptErrorHandler(logger: logger))
          try pipeline.addHandler(AvailableConnectionsChannelHandler(maxConnections: limit))
          try pipeline.addHandler(quiescing.makeServerChannelHandler(channel: channel))
        }
      }
    let listening = try await bind(bootstrap) { channel in connection.setup(channel: channel, logger: logger) }
    return Socket(listening: listening, quiescing: quiescing)
  }
}

/// Tells the operator when connections cannot be taken, which is most often for want of open files. NIO waits a second
/// and tries again.
final class AcceptErrorHandler: ChannelInboundHandler {
  typealias InboundIn = any Channel

  private let logger: Logger
  private var count = 0

  init(logger: Logger) { self.logger = logger }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? IOError {
      count += 1
      // The first of a series tells the operator.
      if count & (count - 1) == 0 {
        logger.error(
          "a connection cannot be taken (\(count) so far): \(SystemAdvice.sentence(error.errnoCode))")
      }
    }
    context.fireErrorCaught(error)
  }
}
