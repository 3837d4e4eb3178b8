import Access
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// How much of an answer the system buffers for a client that does not read; the default is megabytes for each.
private let sendBuffer: SocketOptionValue = 128 << 10

/// The rules of a listener with TLS.
struct TLSRules: Sendable {
  /// The most time for a TLS handshake.
  let handshakeTime: TimeAmount
  /// How long a client that speaks HTTP/2 may take nothing.
  let patience: TimeAmount
}

/// Limits a listener's connections: one over the limit gets an answer and is closed before it can send a request.
struct ConnectionGate<Base: ServerChildChannel>: ServerChildChannel {
  typealias Value = Base.Value

  let base: Base
  let connections: Connections
  /// Whether a connection over the limit ends another whose sender has shown no secret.
  var makesRoom = false
  /// Its rules for TLS; `nil` for a listener without TLS.
  let tls: TLSRules?

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: sendBuffer)
      try channel.pipeline.syncOperations.addHandlers(
        ConnectionGateHandler(connections, isPlain: tls == nil, makesRoom: makesRoom),
        FirstRequestGraceHandler())
    }.flatMap {
      base.setup(channel: channel, logger: logger)
    }.flatMapThrowing { value in
      if let tls {
        let pipeline = channel.pipeline.syncOperations
        let handler = try pipeline.handler(type: NIOSSLServerHandler.self)
        try pipeline.addHandlers([RecordPacker(), HandshakeDeadlineHandler(tls)], position: .after(handler))
      }
      return value
    }.flatMapErrorThrowing { error in
      // NIO drops a connection whose setup fails without a word and leaves it open.
      MissingHandler.report(error, on: channel, logger: logger)
      throw error
    }
  }

  func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// Counts one connection, or refuses it.
final class ConnectionGateHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// The time for the answer before the connection is closed.
  private static let parting = TimeAmount.seconds(1)
  private static let answer = { () -> ByteBuffer in
    let body =
      #"{"error":"tooManyConnections","detail":"#
      + #""there are too many connections, from your address or in all; close some, or try again in a while"}"# + "\n"
    return ByteBuffer(
      string: "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        + "Retry-After: 5\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }()

  /// Whether the connection has no TLS, so that an answer can be sent at once.
  private let isPlain: Bool
  private let connections: Connections
  private let makesRoom: Bool
  private var entered: ClientAddress?
  private var isTurnedAway = false

  init(_ connections: Connections, isPlain: Bool, makesRoom: Bool = false) {
    self.connections = connections
    self.isPlain = isPlain
    self.makesRoom = makesRoom
  }

  func channelActive(context: ChannelHandlerContext) {
    let address = ClientAddress(context.channel.remoteAddress)
    let channel = context.channel
    let isIn =
      makesRoom
      ? connections.enter(address, as: ObjectIdentifier(channel)) { channel.close(promise: nil) }
      : connections.enter(address)
    if isIn {
      entered = address
      return context.fireChannelActive()
    }
    isTurnedAway = true
    guard isPlain else { return context.close(promise: nil) }
    // A reset could overtake the answer, so the client's bytes are still read for a moment.
    context.writeAndFlush(wrapOutboundOut(Self.answer), promise: nil)
    context.close(mode: .output, promise: nil)
    context.eventLoop.scheduleTask(in: Self.parting) { channel.close(promise: nil) }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if !isTurnedAway { context.fireChannelRead(data) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if isTurnedAway, case ChannelEvent.inputClosed? = event as? ChannelEvent { return context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if makesRoom {
      connections.leave(ObjectIdentifier(context.channel))
    } else if let entered {
      connections.leave(entered)
    }
    entered = nil
    context.fireChannelInactive()
  }
}

/// Closes a connection that does not finish its TLS handshake, and puts a `FrameGuard` on one that then speaks HTTP/2.
final class HandshakeDeadlineHandler: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private let rules: TLSRules
  private var deadline: Deadline?

  init(_ rules: TLSRules) { self.rules = rules }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.deadline(in: rules.handshakeTime) { channel.close(mode: .all, promise: nil) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted(let negotiated)? = event as? TLSUserEvent {
      deadline?.cancel()
      // The handlers of HTTP/2 are put behind it.
      if negotiated == "h2" {
        do {
          try context.pipeline.syncOperations.addHandler(
            FrameGuard(patience: rules.patience, now: context.eventLoop.now), position: .after(self))
        } catch {
          context.close(promise: nil)
        }
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }
}
