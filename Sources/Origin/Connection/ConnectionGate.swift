import Access
import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// What the system keeps of an answer for a reader that does not read; left alone it keeps megabytes for each.
private let sendBuffer: SocketOptionValue = 128 << 10

/// A door's connections with their limits: what comes beyond them is told so and closed before it can ask for anything.
struct ConnectionGate<Base: ServerChildChannel>: ServerChildChannel {
  typealias Value = Base.Value

  let base: Base
  let connections: Connections
  /// How long a TLS handshake may take.
  let handshakeTime: TimeAmount

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    channel.eventLoop.makeCompletedFuture {
      try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: sendBuffer)
      try channel.pipeline.syncOperations.addHandlers(ConnectionGateHandler(connections), FirstRequestGraceHandler())
    }.flatMap {
      base.setup(channel: channel, logger: logger)
    }.map { value in
      let pipeline = channel.pipeline.syncOperations
      if let tls = try? pipeline.handler(type: NIOSSLServerHandler.self) {
        try? pipeline.addHandlers(
          [RecordPacker(), HandshakeDeadlineHandler(handshakeTime)], position: .after(tls))
        (try? pipeline.handler(type: ConnectionGateHandler.self))?.isPlain = false
      }
      return value
    }
  }

  func handle(value: Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// Counts one connection, or turns it away.
final class ConnectionGateHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How long an answer has until the connection goes.
  private static let parting = TimeAmount.seconds(1)
  private static let answer = { () -> ByteBuffer in
    let body =
      #"{"error":"tooManyConnections","detail":"#
      + #""there are too many connections, from your address or in all; close some, or try again in a while"}"# + "\n"
    return ByteBuffer(
      string: "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        + "Retry-After: 5\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }()

  /// Whether HTTP is spoken without TLS, so that an answer can be given at once.
  var isPlain = true
  private let connections: Connections
  private var entered: ClientAddress?
  private var isTurnedAway = false

  init(_ connections: Connections) { self.connections = connections }

  func channelActive(context: ChannelHandlerContext) {
    let address = ClientAddress(context.channel.remoteAddress)
    if connections.enter(address) {
      entered = address
      return context.fireChannelActive()
    }
    isTurnedAway = true
    let channel = context.channel
    guard isPlain else { return context.close(promise: nil) }
    // A reset would overtake the answer, so what the client sends is still taken, for a moment.
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
    if let entered { connections.leave(entered) }
    entered = nil
    context.fireChannelInactive()
  }
}

/// Closes a connection that does not get its TLS handshake done.
final class HandshakeDeadlineHandler: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  private let time: TimeAmount
  private var deadline: Scheduled<Void>?

  init(_ time: TimeAmount) { self.time = time }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: time) { channel.close(mode: .all, promise: nil) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { deadline?.cancel() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }
}
