import NIOCore

/// Closes a connection whose client reads nothing for too long while there is something to send.
///
/// Without it, a client that stops reading keeps its connection and its task for ever, and delays the end of the
/// process.
final class SlowReaderHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny

  private let watch: SlowReaderWatch

  init(_ patience: TimeAmount) { watch = SlowReaderWatch(patience) }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { watch.end() } else { watch.begin(context.channel) }
    context.fireChannelWritabilityChanged()
  }

  func handlerRemoved(context: ChannelHandlerContext) { watch.end() }

  func channelInactive(context: ChannelHandlerContext) {
    watch.end()
    context.fireChannelInactive()
  }
}
