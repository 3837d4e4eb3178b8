import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers 408 and closes where a client sends nothing in the middle of a body for too long.
///
/// Cameras on bad radio trickle, so the time runs from read to read and not over a whole body.
final class SlowSenderHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let patience: TimeAmount
  private var deadline: Scheduled<Void>?
  private var lastRead = NIODeadline.now()
  private var isReading = false
  private var isAnswered = false

  init(_ patience: TimeAmount) { self.patience = patience }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastRead = .now()
    switch unwrapInboundIn(data) {
    case .head:
      isReading = true
      isAnswered = false
      if deadline == nil { schedule(context, at: lastRead + patience) }
    case .body: break
    case .end: isReading = false
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .head(let head) = unwrapOutboundIn(data), head.status.kind != .informational { isAnswered = true }
    context.write(data, promise: promise)
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    deadline = nil
    context.fireChannelInactive()
  }

  private func schedule(_ context: ChannelHandlerContext, at time: NIODeadline) {
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    deadline = context.eventLoop.scheduleTask(deadline: time) {
      let (handler, context) = bound.value
      handler.look(context)
    }
  }

  private func look(_ context: ChannelHandlerContext) {
    deadline = nil
    guard isReading else { return }
    guard NIODeadline.now() >= lastRead + patience else { return schedule(context, at: lastRead + patience) }
    if !isAnswered {
      let body = ByteBuffer(
        string: #"{"error":"slowBody","detail":"the body broke off; send it again, without long pauses"}"# + "\n")
      var head = HTTPResponse(status: .requestTimeout)
      head.headerFields[.contentType] = "application/json"
      head.headerFields[.cacheControl] = "no-store"
      head.headerFields[.contentLength] = "\(body.readableBytes)"
      // Over HTTP/2 a request has a stream of its own (RFC 9113, section 8.2.2).
      if context.channel.parent?.parent == nil { head.headerFields[.connection] = "close" }
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(body)), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    context.close(promise: nil)
  }
}
