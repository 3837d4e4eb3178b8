import NIOCore

/// Puts what is flushed together into one TLS record if it fits. An answer over HTTP/2 is written in four small pieces,
/// and a record for each would cost 22 bytes each.
final class RecordPacker: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// The capacity of a record (RFC 8446, section 5.1).
  private static let recordLength = 16_384

  private var pending = ByteBuffer()
  private var promise: EventLoopPromise<Void>?

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = unwrapOutboundIn(data)
    if pending.readableBytes + bytes.readableBytes > Self.recordLength { send(context) }
    guard bytes.readableBytes <= Self.recordLength else { return context.write(data, promise: promise) }
    pending.writeImmutableBuffer(bytes)
    if let promise {
      if let first = self.promise { first.futureResult.cascade(to: promise) } else { self.promise = promise }
    }
  }

  func flush(context: ChannelHandlerContext) {
    send(context)
    context.flush()
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    // What was never flushed is not sent, as in any channel.
    if mode != .input { drop() }
    context.close(mode: mode, promise: promise)
  }

  func handlerRemoved(context: ChannelHandlerContext) { drop() }

  private func drop() {
    let promise = promise
    (pending, self.promise) = (ByteBuffer(), nil)
    promise?.fail(ChannelError.ioOnClosedChannel)
  }

  private func send(_ context: ChannelHandlerContext) {
    guard pending.readableBytes > 0 || promise != nil else { return }
    let (bytes, promise) = (pending, promise)
    (pending, self.promise) = (ByteBuffer(), nil)
    context.write(wrapOutboundOut(bytes), promise: promise)
  }
}
