import Media
import NIOCore

/// A connection of one viewer of a crowd.
final class CrowdConnection: BenchConnection {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  static let name = "a connection"

  private let host: String
  private let path: String
  private let began: NIODeadline
  private let reopen: ((CrowdConnection) -> Void)?
  let tally: NIOLoopBoundBox<CrowdTally>
  /// The viewer, as it is now.
  private var viewer: CrowdViewer
  var scanner = AnswerScanner()
  private var hasJoined: Bool
  /// Whether an answer is expected, and whether one has come since the connection was opened.
  private var (isAsking, hasAnswered) = (false, false)
  private var hasLeft = false
  private var context: ChannelHandlerContext?
  var isOver = false

  /// A viewer that has just come and counts what it gets in `tally`.
  ///
  /// - Parameters:
  ///   - host: the server's, with its port.
  ///   - path: the playlist.
  ///   - reopen: is called when the server has closed the connection between two answers, which it may do at any time,
  ///     and the viewer has something to request. Without it, that is a mistake.
  init(
    _ way: CrowdWay, host: String, path: String, tally: NIOLoopBoundBox<CrowdTally>,
    reopen: ((CrowdConnection) -> Void)? = nil
  ) {
    (self.host, self.path, self.tally, self.reopen) = (host, path, tally, reopen)
    (viewer, hasJoined, began) = (CrowdViewer(way, path: path), false, .now())
  }

  /// The next connection of the viewer of another one.
  init(after other: CrowdConnection) {
    (host, path, tally, reopen) = (other.host, other.path, other.tally, other.reopen)
    (viewer, hasJoined, began) = (other.viewer, other.hasJoined, other.began)
  }

  // A server can close a connection while the next request is on its way to it (RFC 9112, section 9.3.1).
  var canBeClosed: Bool { reopen != nil && (!isAsking || (hasAnswered && scanner.isIdle)) }

  func begin(_ context: ChannelHandlerContext) {
    // The viewer may have left before the connection was there.
    guard !isOver else { return context.close(promise: nil) }
    self.context = context
    ask(context)
  }

  func ended(unforeseen: Bool) {
    context = nil
    if unforeseen, isAsking, canBeClosed { goOn() }
  }

  /// The viewer leaves.
  func leave() {
    (isOver, hasLeft) = (true, true)
    context?.close(promise: nil)
  }

  /// A picture is announced, and its name where it is kept.
  func announce(_ photo: String?) {
    if viewer.announce(photo) != nil { goOn() }
  }

  func received(_ count: Int, _ context: ChannelHandlerContext) {
    tally.value.add(bytes: count)
    // A segment that is being made is an answer of half a minute.
    if viewer.kind == .media, scanner.bodyBytes > 0, !isOver { join() }
  }

  func take(_ answer: AnswerScanner.Answer, _ context: ChannelHandlerContext) throws {
    let (kind, request) = (viewer.kind, viewer.current)
    (isAsking, hasAnswered) = (false, true)
    tally.value.add(
      kind, status: answer.status, name: request.path + (request.range.map { " \($0)" } ?? ""), body: answer.body,
      isFinal: viewer.isFinal, isFirst: viewer.isFirst, at: Int64(NIODeadline.now().uptimeNanoseconds))
    if kind == .media, answer.status == 200 || answer.status == 206 { join() }
    let step = try viewer.take(status: answer.status, next: answer.next, body: answer.body) { body in
      try tally.value.read(body, path: path, host: host, coding: answer.coding)
    }
    if answer.closes {
      guard reopen != nil else {
        return end("the server closed a connection with status \(answer.status)", context)
      }
      isOver = true
      context.close(promise: nil)
    }
    guard case .ask(_, let wait) = step else { return }
    guard wait > .zero else { return goOn() }
    context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait.duration)) { self.goOn() }
  }

  /// Notes the first media.
  private func join() {
    if !hasJoined { tally.value.join(after: (NIODeadline.now() - began).nanoseconds / 1000) }
    hasJoined = true
  }

  /// Requests what the viewer wants now, on another connection where this one has ended.
  private func goOn() {
    if let context, !isOver { return ask(context) }
    guard let reopen, !hasLeft else { return }
    tally.value.reopened += 1
    reopen(self)
  }

  private func ask(_ context: ChannelHandlerContext) {
    isAsking = true
    ask(viewer.current.path, host: host, codings: "gzip, br", range: viewer.current.range, context)
  }
}
