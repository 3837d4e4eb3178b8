import NIOCore
import NIOHTTPTypes

/// Resets a stream of HTTP/2 whose client does not take the end of the answer in time.
///
/// `SlowReaderHandler` does not see those whose answer is so short that the stream stays writable: with a window of 0 a
/// client would keep the stream, its task and its connection for ever.
final class AnswerEndHandler: ChannelOutboundHandler, RemovableChannelHandler {
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let patience: TimeAmount
  private var deadline: Deadline?

  /// - Parameter patience: how long a client may take for what is left when the answer is wholly written.
  init(_ patience: TimeAmount) { self.patience = patience }

  func handlerRemoved(context: ChannelHandlerContext) {
    deadline?.cancel()
    deadline = nil
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    // A connection by HTTP/1.1 stays open behind its answers.
    if case .end = unwrapOutboundIn(data), deadline == nil, context.channel.parent?.parent != nil {
      let channel = context.channel
      deadline = context.eventLoop.deadline(in: patience) { channel.close(promise: nil) }
    }
    context.write(data, promise: promise)
  }
}
