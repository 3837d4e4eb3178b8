import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2
import NIOSSL
import NIOTLS

/// The public listener's connections: a `QuickHandler`, and Hummingbird's handlers behind it once a connection has a
/// request for them. Over HTTP/2 the same holds for each request, with a `QuickFrameHandler`.
struct DoorChannel: ServerChildChannel {
  /// A connection, and what Hummingbird handles of it once it does.
  struct Value: ServerChildChannelValue {
    let channel: any Channel
    let handled: EventLoopFuture<Handled>
  }

  /// What Hummingbird handles of a connection.
  enum Handled: Sendable {
    /// Nothing: it has ended.
    case nothing
    /// Its requests by HTTP/1.1 that are no quick ones.
    case http1(HTTP1Channel.Value)
    /// Its requests by HTTP/2 that are no quick ones, each a channel. A connection has at most a hundred at a time.
    case http2(AsyncStream<HTTP1Channel.Value>)
  }

  private let doors: Doors
  private let rules: QuickHandler.Rules
  private let http1: HTTP1Channel
  private let secure: Secure?

  private struct Secure: Sendable {
    let context: NIOSSLContext
    /// How each request by HTTP/2 is handled that is no quick one.
    let stream: HTTP1Channel
  }

  /// Connections without TLS.
  init(doors: Doors, rules: QuickHandler.Rules, http1: HTTP1Channel) {
    (self.doors, self.rules, self.http1, secure) = (doors, rules, http1, nil)
  }

  /// Connections with TLS, which speak HTTP/2 or HTTP/1.1.
  ///
  /// - Parameters:
  ///   - http1: handles what comes by HTTP/1.1.
  ///   - stream: handles a request by HTTP/2.
  /// - Throws: `NIOSSLError` if the certificate cannot be used.
  init(
    doors: Doors, rules: QuickHandler.Rules, http1: HTTP1Channel, stream: HTTP1Channel, tls: TLSConfiguration
  ) throws {
    var tls = tls
    tls.applicationProtocols = ["h2", "http/1.1"]
    (self.doors, self.rules, self.http1) = (doors, rules, http1)
    secure = Secure(context: try NIOSSLContext(configuration: tls), stream: stream)
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    let handled = channel.eventLoop.makePromise(of: Handled.self)
    channel.closeFuture.whenComplete { _ in handled.succeed(.nothing) }
    return channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      guard let secure else {
        try pipeline.addHandler(quickHandler(handled, isSecure: false, logger: logger))
        return Value(channel: channel, handled: handled.futureResult)
      }
      try pipeline.addHandler(NIOSSLServerHandler(context: secure.context))
      try pipeline.addHandler(
        NIOTypedApplicationProtocolNegotiationHandler<Void> { result in
          switch result {
          case .negotiated("h2"):
            return channel.eventLoop.makeCompletedFuture {
              handled.succeed(.http2(try http2(secure, on: channel, logger: logger)))
            }
          case .negotiated("http/1.1"), .fallback:
            return channel.eventLoop.makeCompletedFuture {
              try channel.pipeline.syncOperations.addHandler(
                quickHandler(handled, isSecure: true, logger: logger))
            }
          case .negotiated:
            return channel.close()
          }
        })
      return Value(channel: channel, handled: handled.futureResult)
    }
  }

  func handle(value: Value, logger: Logger) async {
    await withTaskCancellationHandler {
      await handleRequests(of: value, logger: logger)
    } onCancel: {
      // When the process ends, a client that reads no answer from the event loop must not hold it up.
      value.channel.close(promise: nil)
    }
  }

  private func handleRequests(of value: Value, logger: Logger) async {
    switch try? await value.handled.get() {
    case .http1(let http1): await self.http1.handle(value: http1, logger: logger)
    case .http2(let streams):
      guard let stream = secure?.stream else { return }
      await withDiscardingTaskGroup { group in
        for await request in streams { group.addTask { await stream.handle(value: request, logger: logger) } }
      }
    case .nothing, nil: break
    }
  }

  /// Sets up a connection by HTTP/2.
  ///
  /// - Returns: the requests that are Hummingbird's.
  private func http2(
    _ secure: Secure, on channel: any Channel, logger: Logger
  ) throws -> AsyncStream<HTTP1Channel.Value> {
    // More than this wait only where a client opens and resets requests faster than they are taken.
    let (requests, more) = AsyncStream.makeStream(of: HTTP1Channel.Value.self, bufferingPolicy: .bufferingOldest(256))
    channel.closeFuture.whenComplete { _ in more.finish() }
    var configuration = NIOHTTP2ServerConnectionManagementHandler.Configuration.defaults
    // `QuickFrameHandler` watches this: NIO would schedule and cancel a task for each request.
    configuration.maxIdleTime = nil
    configuration.keepalive = nil
    let manager = NIOHTTP2ServerConnectionManagementHandler(
      eventLoop: channel.eventLoop, configuration: configuration)
    let multiplexer = HTTP2StreamMultiplexer(mode: .server, channel: channel) { [rules] stream in
      stream.eventLoop.makeCompletedFuture {
        let end = RequestEndHandler(patience: rules.patience) { stream in
          let pipeline = stream.pipeline.syncOperations
          let configuration = secure.stream.configuration
          try pipeline.addHandlers(configuration.additionalChannelHandlers())
          try pipeline.addHandler(
            HTTPConnectionStateHandler(
              idleTimeout: configuration.idleTimeout.map { .nanoseconds($0.nanoseconds) }, logger: logger))
          let request = try HTTP1Channel.Value(wrappingChannelSynchronously: stream)
          if case .enqueued = more.yield(request) {} else { stream.close(promise: nil) }
        }
        try stream.pipeline.syncOperations.addHandlers(
          HTTP2FramePayloadToHTTPServerCodec(), end)
      }
    }
    try channel.pipeline.syncOperations.addHandlers(
      NIOHTTP2Handler(mode: .server, connectionConfiguration: .init(), streamConfiguration: .init()),
      QuickFrameHandler(
        door: { [doors] in doors.quickDoor }, rules: rules, streams: manager.http2StreamDelegate),
      multiplexer, manager, EndOfInputHandler())
    return requests
  }

  private func quickHandler(
    _ handled: EventLoopPromise<Handled>, isSecure: Bool, logger: Logger
  ) -> QuickHandler {
    QuickHandler(
      door: { [doors] in doors.quickDoor }, isSecure: isSecure, rules: rules,
      install: { channel in
        http1.setup(channel: channel, logger: logger).map { handled.succeed(.http1($0)) }
          .flatMapErrorThrowing { error in
            MissingHandler.report(error, on: channel, logger: logger)
            throw error
          }
      })
  }
}
