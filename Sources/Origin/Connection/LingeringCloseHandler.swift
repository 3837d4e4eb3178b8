import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client is still sending, so that the answer reaches it (RFC 9112, section 9.6).
///
/// Closing at once would reset the connection and the answer would be lost. So our direction is closed, what arrives is
/// dropped for a short time, and then the connection is closed. Nothing that arrives is read as a request: what follows
/// a body of the wrong length is garbage or an attempt at request smuggling.
final class LingeringCloseHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart

  /// Sent to a connection after its last answer was written.
  struct Begin: Sendable {}

  private static let patience = TimeAmount.seconds(2)
  private static let mostDropped = 4 << 20

  private var isClosing = false
  private var dropped = 0

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard event is Begin else { return context.triggerUserOutboundEvent(event, promise: promise) }
    guard !isClosing else { return }
    isClosing = true
    context.close(mode: .output, promise: nil)
    let channel = context.channel
    context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    promise?.succeed()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard isClosing else { return context.fireChannelRead(data) }
    if case .body(let bytes) = unwrapInboundIn(data) { dropped += bytes.readableBytes }
    if dropped > Self.mostDropped { context.close(promise: nil) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if isClosing, case ChannelEvent.inputClosed? = event as? ChannelEvent {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }
}
