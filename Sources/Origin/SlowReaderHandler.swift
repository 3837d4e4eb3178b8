import NIOCore

/// Closes a connection whose client takes nothing for half a minute while there is something to send.
///
/// Without it a client that stops reading holds its connection and its task for good, and the end of the process too.
final class SlowReaderHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny

  private static let patience = TimeAmount.seconds(30)
  private var deadline: Scheduled<Void>?

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable {
      deadline?.cancel()
      deadline = nil
    } else if deadline == nil {
      let channel = context.channel
      deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
    }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    deadline?.cancel()
    context.fireChannelInactive()
  }
}
