import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOSSL
import NIOTLS

/// The public listener's connections: a `QuickHandler`, and Hummingbird's handlers behind it once a connection has a
/// request for them. HTTP/2 is Hummingbird's.
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
    /// All of its requests, by HTTP/2.
    case http2(HTTP2Channel.Value)
  }

  private let doors: Doors
  private let rules: QuickHandler.Rules
  private let http1: HTTP1Channel
  private let secure: (context: NIOSSLContext, http2: HTTP2Channel)?

  /// Connections without TLS.
  init(doors: Doors, rules: QuickHandler.Rules, http1: HTTP1Channel) {
    (self.doors, self.rules, self.http1, secure) = (doors, rules, http1, nil)
  }

  /// Connections with TLS, which speak HTTP/2 or HTTP/1.1.
  ///
  /// - Throws: `NIOSSLError` if the certificate cannot be used.
  init(
    doors: Doors, rules: QuickHandler.Rules, http1: HTTP1Channel, http2: HTTP2Channel, tls: TLSConfiguration
  ) throws {
    var tls = tls
    tls.applicationProtocols = ["h2", "http/1.1"]
    (self.doors, self.rules, self.http1) = (doors, rules, http1)
    secure = (try NIOSSLContext(configuration: tls), http2)
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
            return secure.http2.setup(channel: channel, logger: logger).map { handled.succeed(.http2($0)) }
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
    switch try? await value.handled.get() {
    case .http1(let http1): await self.http1.handle(value: http1, logger: logger)
    case .http2(let http2): await secure?.http2.handle(value: http2, logger: logger)
    case .nothing, nil: break
    }
  }

  private func quickHandler(
    _ handled: EventLoopPromise<Handled>, isSecure: Bool, logger: Logger
  ) -> QuickHandler {
    QuickHandler(
      door: { [doors] in doors.quickDoor }, isSecure: isSecure, rules: rules,
      install: { channel in
        http1.setup(channel: channel, logger: logger).map { handled.succeed(.http1($0)) }.flatMapErrorThrowing { error in
          MissingHandler.report(error, on: channel, logger: logger)
          throw error
        }
      })
  }
}
