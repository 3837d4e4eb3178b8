import Media
import NIOCore

/// The connection of one viewer of a crowd.
final class CrowdConnection: BenchConnection {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  static let name = "a connection"

  private let host: String
  private let path: String
  private let way: CrowdWay
  let tally: NIOLoopBoundBox<CrowdTally>
  private var viewer: CrowdViewer
  var scanner = AnswerScanner()
  private var hasJoined = false
  var isOver = false

  /// A viewer that counts what it gets in `tally`.
  init(_ way: CrowdWay, host: String, path: String, tally: NIOLoopBoundBox<CrowdTally>) {
    (self.way, self.host, self.path, self.tally) = (way, host, path, tally)
    viewer = CrowdViewer(way, path: path)
  }

  func begin(_ context: ChannelHandlerContext) { ask(viewer.begin(), context) }

  func received(_ count: Int, _ context: ChannelHandlerContext) {
    tally.value.add(bytes: count)
    // A segment that is being made is an answer of half a minute.
    if viewer.kind == .media, scanner.bodyBytes > 0, !isOver { join() }
  }

  func take(_ answer: AnswerScanner.Answer, _ context: ChannelHandlerContext) throws {
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
    ask(path, host: host, codings: "gzip, br", context)
  }
}
