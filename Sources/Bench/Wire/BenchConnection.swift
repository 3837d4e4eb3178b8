import NIOCore

/// What the connections of one event loop count.
protocol ConnectionTally {
  /// How many are connected.
  var connected: Int { get set }
  /// Counts something that went wrong.
  mutating func note(_ mistake: String)
}

/// The connection of one client of a bench by HTTP/1.1: it reads answers, and ends with the first mistake.
protocol BenchConnection: ChannelInboundHandler
where InboundIn == ByteBuffer, OutboundOut == ByteBuffer {
  associatedtype Tally: ConnectionTally

  /// What its end is called in a mistake, such as "a connection".
  static var name: String { get }
  var tally: NIOLoopBoundBox<Tally> { get }
  var scanner: AnswerScanner { get set }
  /// Whether it has ended, or is about to.
  var isOver: Bool { get set }
  /// Whether the server can close it now without that being a mistake.
  var canBeClosed: Bool { get }

  /// Called when it is connected.
  func begin(_ context: ChannelHandlerContext)
  /// Takes a whole answer; what it throws is a mistake.
  func take(_ answer: AnswerScanner.Answer, _ context: ChannelHandlerContext) throws
  /// Called when bytes have come and the answers that they completed have been taken.
  func received(_ count: Int, _ context: ChannelHandlerContext)
  /// Called when it has ended.
  ///
  /// - Parameter unforeseen: whether the server has closed it by itself.
  func ended(unforeseen: Bool)
}

extension BenchConnection {
  var canBeClosed: Bool { false }

  func received(_ count: Int, _ context: ChannelHandlerContext) {}

  func ended(unforeseen: Bool) {}

  func channelActive(context: ChannelHandlerContext) {
    tally.value.connected += 1
    begin(context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    let count = bytes.readableBytes
    do {
      for answer in try scanner.take(&bytes) { try take(answer, context) }
    } catch {
      end("\(error)", context)
    }
    received(count, context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    tally.value.connected -= 1
    let wasOver = isOver
    if !wasOver, !canBeClosed { tally.value.note("the server closed \(Self.name)") }
    isOver = true
    ended(unforeseen: !wasOver)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if canBeClosed { context.close(promise: nil) } else { end("\(error)", context) }
  }

  /// Asks for a path.
  ///
  /// - Parameters:
  ///   - codings: the value of `Accept-Encoding`.
  ///   - range: the value of `Range`.
  func ask(_ path: String, host: String, codings: String, range: String? = nil, _ context: ChannelHandlerContext) {
    let text =
      "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nAccept-Encoding: \(codings)\r\nUser-Agent: quietcam-bench\r\n"
      + (range.map { "Range: \($0)\r\n" } ?? "") + "\r\n"
    context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: text)), promise: nil)
  }

  /// Ends the connection because of a mistake.
  func end(_ mistake: String, _ context: ChannelHandlerContext) {
    if !isOver { tally.value.note(mistake) }
    isOver = true
    context.close(promise: nil)
  }
}
