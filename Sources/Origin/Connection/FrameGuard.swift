import NIOCore

/// Bounds what a client can hold and cost on a connection by HTTP/2, and for how long, where NIO does not.
///
/// It stands between TLS and `NIOHTTP2Handler`:
/// - After a GOAWAY frame that says an error the connection is closed, and nothing more is read of it (RFC 9113,
///   section 5.4.1). NIO goes on reading, so that a flood would go on to cost what it costs.
/// - After one that says none (the server ends, or the connection was idle) the client acknowledges the PING that comes
///   with it, and gets a second GOAWAY. Whose acknowledgement does not come is closed.
/// - A client that sends too many frames which ask for nothing is closed; see `FrameBudget`.
/// - A client that takes too little of what there is to send is closed; see `SlowReaderWatch`.
/// - The table of header fields that a client asks for has a limit; see `HeaderTableLimit`.
final class FrameGuard: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// `PRI * HTTP/2.0` and so on (RFC 9113, section 3.4).
  private static let prefaceLength = 24
  /// Where the error stands in a GOAWAY frame (RFC 9113, section 6.8).
  private static let errorCode = 4..<8

  /// GOAWAY of 8 bytes with ENHANCE_YOUR_CALM, and 0 as the last stream that is answered.
  private static let calmDown: [UInt8] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 11]

  private let patience: TimeAmount
  private let slowReader: SlowReaderWatch
  private var inbound = FrameScan(before: FrameGuard.prefaceLength)
  private var outbound = FrameScan(before: 0)
  private var tableLimit = HeaderTableLimit()
  private var budget: FrameBudget
  private var unacknowledged: Deadline?
  private var goAways = 0
  private var hasFailed = false

  /// - Parameters:
  ///   - patience: how long a client may take nothing, and how long it may leave a PING without its acknowledgement.
  ///   - now: when the connection begins.
  init(patience: TimeAmount, now: NIODeadline) {
    self.patience = patience
    slowReader = SlowReaderWatch(patience)
    budget = FrameBudget(now: now)
  }

  // MARK: The connection

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    slowReader.end()
    unacknowledged?.cancel()
    unacknowledged = nil
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { slowReader.end() } else { slowReader.begin(context.channel) }
    context.fireChannelWritabilityChanged()
  }

  // MARK: Frames

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !hasFailed else { return }
    var bytes = unwrapInboundIn(data)
    var index = bytes.readerIndex
    while let piece = inbound.next(in: bytes, from: &index) {
      guard piece.offset > 0 || count(piece.kind, context) else { return calm(context) }
      if piece.kind == FrameScan.Kind.settings { tableLimit.apply(to: &bytes, piece) }
    }
    context.fireChannelRead(wrapInboundOut(bytes))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let bytes = unwrapOutboundIn(data)
    var index = bytes.readerIndex
    while let piece = outbound.next(in: bytes, from: &index) {
      switch piece.kind {
      case FrameScan.Kind.data where piece.offset == 0: budget.earn()
      case FrameScan.Kind.goAway: look(at: piece, in: bytes, context)
      default: break
      }
    }
    context.write(data, promise: promise)
  }

  /// A frame came; `false` where it is one too many.
  private func count(_ kind: Int, _ context: ChannelHandlerContext) -> Bool {
    switch kind {
    case FrameScan.Kind.headers:
      budget.earn()
      return true
    // How many of these follow one another is NIO's matter.
    case FrameScan.Kind.data, FrameScan.Kind.continuation, FrameScan.noKind: return true
    default: return budget.spend(now: context.eventLoop.now)
    }
  }

  /// Says that it was too much, and closes the connection.
  private func calm(_ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: Self.calmDown)), promise: nil)
    fail(context)
  }

  private func look(at piece: FrameScan.Piece, in bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    if piece.offset == 0 {
      goAways += 1
      unacknowledged?.cancel()
      let channel = context.channel
      unacknowledged =
        goAways == 1 ? context.eventLoop.deadline(in: patience) { channel.close(promise: nil) } : nil
    }
    for (count, index) in piece.range.enumerated() where Self.errorCode.contains(piece.offset + count) {
      if bytes.getInteger(at: index, as: UInt8.self) != 0 { fail(context) }
    }
  }

  /// Closes the connection behind the frame that is being written.
  private func fail(_ context: ChannelHandlerContext) {
    guard !hasFailed else { return }
    hasFailed = true
    let channel = context.channel
    context.eventLoop.execute { channel.close(promise: nil) }
  }
}
