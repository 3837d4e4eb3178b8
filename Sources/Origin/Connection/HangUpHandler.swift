import NIOCore
import NIOHTTPTypes

/// Ends a viewer's connection soon after the viewer has closed their end of it.
///
/// A client may close its direction behind its last request and still read (RFC 9112, section 9.6): what was asked for
/// before that is answered as far as it can be at once. What has to wait for a part or an event is not: most often the
/// viewer has gone, and the request would be kept alive until there is something to write.
final class HangUpHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// What needs no wait has written something by then.
  private let patience: TimeAmount
  private var openRequests = 0
  private var isHalfClosed = false
  private var hasWritten = false

  /// - Parameter patience: for how long an answer may write nothing once the viewer has closed their end.
  init(patience: TimeAmount = .milliseconds(500)) { self.patience = patience }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head = unwrapInboundIn(data) { openRequests += 1 }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    hasWritten = true
    guard case .end = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
    openRequests -= 1
    guard isHalfClosed, openRequests <= 0 else { return context.write(data, promise: promise) }
    context.writeAndFlush(data, promise: promise)
    context.close(mode: .output, promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Over HTTP/2 each request closes its own direction of its stream, which does not mean that the viewer has gone.
    let isConnection = context.channel.parent?.parent == nil
    guard isConnection, case ChannelEvent.inputClosed? = event as? ChannelEvent else {
      return context.fireUserInboundEventTriggered(event)
    }
    guard openRequests > 0 else { return context.close(promise: nil) }
    isHalfClosed = true
    look(context)
    context.fireUserInboundEventTriggered(event)
  }

  /// Closes what has not gone on; a reader that is slow is another handler's business.
  private func look(_ context: ChannelHandlerContext) {
    hasWritten = false
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    context.eventLoop.scheduleTask(in: patience) {
      let (handler, context) = bound.value
      guard context.channel.isActive else { return }
      if handler.hasWritten || !context.channel.isWritable { return handler.look(context) }
      context.close(promise: nil)
    }
  }
}
