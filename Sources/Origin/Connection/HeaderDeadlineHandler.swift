import NIOCore

/// Closes a connection whose client does not finish the header of a request in time.
///
/// It is below the codec, where it sees the bytes of an unfinished header. `ConnectionRulesHandler` above tells it when
/// a header is complete.
final class HeaderDeadlineHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private static let answer = { () -> ByteBuffer in
    let body =
      #"{"error":"slowHeader","detail":"the header of the request did not come in time; send it at once"}"# + "\n"
    return ByteBuffer(
      string: "HTTP/1.1 408 Request Timeout\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        + "Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
  }()

  private let time: TimeAmount
  private var deadline: Deadline?
  private var isInMessage = false
  /// Whether an answer is being written; nothing else can be written then.
  var isAnswering = false

  init(_ time: TimeAmount) { self.time = time }

  /// The header of a request is complete.
  func headerCame() {
    isInMessage = true
    deadline?.cancel()
    deadline = nil
  }

  /// A request is complete.
  func requestEnded() { isInMessage = false }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if !isInMessage, deadline == nil { schedule(context) }
    context.fireChannelRead(data)
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    deadline?.cancel()
    deadline = nil
  }

  private func schedule(_ context: ChannelHandlerContext) {
    deadline = context.eventLoop.deadline(in: time) { [self] in
      deadline = nil
      if isAnswering { return schedule(context) }
      context.writeAndFlush(wrapOutboundOut(Self.answer), promise: nil)
      context.close(promise: nil)
    }
  }
}
