import NIOCore

/// Lets a connection that was just accepted make one request before it is closed for the end of the process: its
/// request may be under way, and would be lost with a reset.
final class FirstRequestGraceHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  /// How long a request takes that was sent with the connection.
  private static let patience = TimeAmount.milliseconds(250)

  private var isNew = true

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    isNew = false
    context.fireChannelRead(data)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard isNew, event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
    isNew = false
    let pipeline = context.pipeline
    context.eventLoop.scheduleTask(in: Self.patience) {
      pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }
}
