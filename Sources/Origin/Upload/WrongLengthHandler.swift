import NIOCore
import NIOHTTPTypes

/// Detects that a request's body was longer than its length said: then something that is not a request follows.
///
/// Sketches that count in 16 bits do this with pictures of more than 65,535 bytes.
final class WrongLengthHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart

  /// Asks what comes next on the connection.
  private struct Question: Sendable {
    let answer: EventLoopPromise<Bool>
  }

  /// A client with a wrong length has sent its rest by then, on any network.
  private static let patience = TimeAmount.milliseconds(250)

  private var hasFailed = false
  private var answer: EventLoopPromise<Bool>?

  /// Whether something that is not a request follows the body, within a moment.
  static func isBodyFollowed(on channel: any Channel) -> EventLoopFuture<Bool> {
    let answer = channel.eventLoop.makePromise(of: Bool.self)
    channel.triggerUserOutboundEvent(Question(answer: answer), promise: nil)
    channel.eventLoop.scheduleTask(in: patience) { answer.succeed(false) }
    return answer.futureResult
  }

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard let question = event as? Question else {
      return context.triggerUserOutboundEvent(event, promise: promise)
    }
    promise?.succeed()
    answer = question.answer
    if hasFailed { tell(true) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head = unwrapInboundIn(data) { tell(false) }
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    hasFailed = true
    tell(true)
    context.fireErrorCaught(error)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { tell(false) }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    tell(false)
    context.fireChannelInactive()
  }

  private func tell(_ isFollowed: Bool) {
    answer?.succeed(isFollowed)
    answer = nil
  }
}
