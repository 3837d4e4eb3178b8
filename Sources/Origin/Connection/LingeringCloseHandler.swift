import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends a connection whose client is still sending, so that the answer reaches it (RFC 9112, section 9.6).
///
/// Closing at once would reset the connection and take the answer with it. So our direction is closed, what comes is
/// dropped for a short while, and then the connection goes. Nothing that comes is a request any more: whatever follows a
/// body of the wrong length is garbage, or somebody's attempt to smuggle.
final class LingeringCloseHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart

  /// Sent to a connection when its last answer has been written.
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
