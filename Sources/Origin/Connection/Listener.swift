import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOExtras
import NIOPosix
import ServiceLifecycle

/// A door's listening socket and the connections that come by it: what Hummingbird's own server does, for sockets too
/// that the process was given.
struct Listener<Connection: ServerChildChannel>: Service {
  /// How many connections the system keeps until they are taken.
  private static var backlog: CInt { 1024 }

  /// How long those who were taken last have to be at their place before the others are sent away.
  private static var settling: TimeAmount { .milliseconds(100) }

  let connection: Connection
  let address: ListenerAddress
  /// How many connections are taken at the same time; the next ones wait in the system's queue.
  let limit: Int
  let logger: Logger
  let onListening: @Sendable (_ port: Int) async -> Void

  /// Takes connections until the service ends, and lets those that are there finish.
  ///
  /// - Throws: the system's error where it cannot listen.
  func run() async throws {
    let quiescing = ServerQuiescingHelper(group: MultiThreadedEventLoopGroup.singleton)
    let listening = try await listen(quiescing)
    let (connection, logger) = (connection, logger)
    try await withGracefulShutdownHandler {
      await onListening(listening.channel.localAddress?.port ?? address.port)
      try await withThrowingDiscardingTaskGroup { group in
        do {
          try await listening.executeThenClose { connections in
            for try await taken in connections {
              group.addTask { await connection.handle(value: taken, logger: logger) }
            }
          }
        } catch is CancellationError {
          // Those who have not ended in time are cut off, and that is no failure.
        }
      }
    } onGracefulShutdown: {
      // What is taken in the moment in which the socket closes would be lost, and NIO ends the process over it. What is
      // not taken waits for the next process where it has the same socket.
      listening.channel.setOption(.autoRead, value: false).whenComplete { _ in
        listening.channel.eventLoop.scheduleTask(in: Self.settling) { quiescing.initiateShutdown(promise: nil) }
      }
    }
  }

  private func listen(_ quiescing: ServerQuiescingHelper) async throws -> NIOAsyncChannel<Connection.Value, Never> {
    let (connection, logger, limit) = (connection, logger, limit)
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: Self.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(AvailableConnectionsChannelHandler(maxConnections: limit))
          try pipeline.addHandler(quiescing.makeServerChannelHandler(channel: channel))
        }
      }
    guard let socket = address.socket else {
      return try await bootstrap.bind(host: address.host, port: address.port) { channel in
        connection.setup(channel: channel, logger: logger)
      }
    }
    let listening = try await bootstrap.bind(socket.descriptor) { channel in
      connection.setup(channel: channel, logger: logger)
    }
    // NIO has shortened the queue of a socket that listened already.
    socket.listen(backlog: Self.backlog)
    return listening
  }
}
