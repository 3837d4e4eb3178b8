import NIOCore

/// Closes a connection by HTTP/2 whose client has closed its end, or that has failed: who asks by HTTP/2 keeps both ends
/// open until the answers are there.
final class EndOfInputHandler: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    context.fireUserInboundEventTriggered(event)
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
