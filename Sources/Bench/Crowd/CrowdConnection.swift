import Media
import NIOCore

/// The connection of one viewer of a crowd.
final class CrowdConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let host: String
  private let path: String
  private let way: CrowdWay
  private let tally: NIOLoopBoundBox<CrowdTally>
  private var viewer: CrowdViewer
  private var scanner = AnswerScanner()
  private var hasJoined = false
  private var isOver = false

  /// A viewer that counts what it gets in `tally`.
  init(_ way: CrowdWay, host: String, path: String, tally: NIOLoopBoundBox<CrowdTally>) {
    (self.way, self.host, self.path, self.tally) = (way, host, path, tally)
    viewer = CrowdViewer(way, path: path)
  }

  func channelActive(context: ChannelHandlerContext) {
    tally.value.connected += 1
    ask(viewer.begin(), context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    tally.value.add(bytes: bytes.readableBytes)
    do {
      for answer in try scanner.take(&bytes) { try take(answer, context) }
      // A segment that is being made is an answer of half a minute.
      if viewer.kind == .media, scanner.bodyBytes > 0 { join() }
    } catch {
      end("\(error)", context)
    }
  }

  private func take(_ answer: AnswerScanner.Answer, _ context: ChannelHandlerContext) throws {
    let (kind, name) = (viewer.kind, viewer.current)
    tally.value.add(
      kind, status: answer.status, name: name, body: answer.body, isFinal: way != .polling,
      at: Int64(NIODeadline.now().uptimeNanoseconds))
    if kind == .media, answer.status == 200 { join() }
    let step = try viewer.take(status: answer.status, next: answer.next, body: answer.body) { body in
      try tally.value.read(body, path: path, coding: answer.coding)
    }
    guard !answer.closes else { return end("the server closed a connection with status \(answer.status)", context) }
    guard case .ask(let path, let wait) = step else { return }
    guard wait > .zero else { return ask(path, context) }
    context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait.duration)) {
      if !self.isOver { self.ask(path, context) }
    }
  }

  /// Notes the first media.
  private func join() {
    if !hasJoined { tally.value.joined += 1 }
    hasJoined = true
  }

  private func ask(_ path: String, _ context: ChannelHandlerContext) {
    let text =
      "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nAccept-Encoding: gzip, br\r\nUser-Agent: quietcam-bench\r\n\r\n"
    context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(string: text)), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    tally.value.connected -= 1
    if !isOver { tally.value.note("the server closed a connection") }
    isOver = true
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { end("\(error)", context) }

  /// Ends the connection because of a mistake.
  private func end(_ mistake: String, _ context: ChannelHandlerContext) {
    if !isOver { tally.value.note(mistake) }
    isOver = true
    context.close(promise: nil)
  }
}
