import NIOCore
import NIOHTTP2

/// Closes a connection by HTTP/2 whose client has closed its end, or that has failed: who asks by HTTP/2 keeps both ends
/// open until the answers are there.
///
/// What is wrong with one request ends that request alone (RFC 9113, section 5.4.2): a proxy has those of many viewers on
/// one connection. The client is told either way by NIO.
final class EndOfInputHandler: ChannelInboundHandler {
  typealias InboundIn = NIOAny

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    context.fireUserInboundEventTriggered(event)
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if error is any NIOHTTP2Error, !(error is NIOHTTP2Errors.BadClientMagic) { return }
    context.close(promise: nil)
  }
}
