import NIOCore

/// Closes a viewer's connection as soon as the viewer has closed their end of it.
///
/// Hummingbird lets clients close one direction and still read; for viewers that would keep every request that waits
/// for a part alive until there is something to write. No player does such a thing, and other servers end such requests
/// too.
final class HangUpHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Over HTTP/2 each request closes its own direction of its stream, which says nothing about the viewer.
    let isConnection = context.channel.parent?.parent == nil
    if isConnection, case ChannelEvent.inputClosed? = event as? ChannelEvent {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }
}
