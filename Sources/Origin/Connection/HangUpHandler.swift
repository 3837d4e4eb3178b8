import NIOCore

/// Closes a viewer's connection as soon as the viewer has closed its end.
///
/// Hummingbird lets clients close one direction and continue to read. For viewers, this would keep every held request
/// open until there is something to write. No player does this, and other servers end such requests too.
final class HangUpHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Over HTTP/2 each request closes its own direction of its stream, which does not mean that the viewer has gone.
    let isConnection = context.channel.parent?.parent == nil
    if isConnection, case ChannelEvent.inputClosed? = event as? ChannelEvent {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }
}
