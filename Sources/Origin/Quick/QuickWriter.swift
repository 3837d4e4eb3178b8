import Access
import Glibc
import NIOCore
import Packager
import Records
import Station

/// Writes the answers of a connection by HTTP/1.1 that `QuickDoor` gives, one after the other, and keeps the request
/// that waits for its answer. Used on the connection's event loop by its `QuickHandler`.
final class QuickWriter {
  /// Over TLS an answer with a longer body is sent in pieces, which Hummingbird does: TLS copies what it gets.
  private static let longestSecure = 128 << 10

  /// A request that waits, and the place that it has at the edge of its camera; none where it waits for its client to
  /// read.
  private struct Waiting {
    let door: QuickDoor
    var request: Request
    let began: NIODeadline
    var place: LiveEdge.LoopWait?

    enum Request {
      case part(QuickDoor.Waiting)
      case segment(QuickDoor.Growing, hasBegun: Bool)
    }

    var edge: LiveEdge {
      switch request {
      case .part(let request): request.stream.camera.edge
      case .segment(let request, _): request.stream.camera.edge
      }
    }
  }

  private unowned let handler: QuickHandler
  private let isSecure: Bool
  private let hangUp: TimeAmount
  private var waiting: Waiting?
  private var waits = 0
  /// Whether the client has closed its end.
  private var isHalfClosed = false

  /// - Parameters:
  ///   - handler: is told when a request that waited goes on.
  ///   - isSecure: whether the connection has TLS.
  ///   - hangUp: how long a request that waits outlives its client's end of the connection.
  init(_ handler: QuickHandler, isSecure: Bool, hangUp: TimeAmount) {
    (self.handler, self.isSecure, self.hangUp) = (handler, isSecure, hangUp)
  }

  /// Whether a request waits, and nothing behind it can be answered.
  var isWaiting: Bool { waiting != nil }

  /// Whether the request that waits does so for its client to read.
  var isWaitingForReader: Bool { waiting.map { $0.place == nil } ?? false }

  /// The connection has ended.
  func end() {
    if let waiting, let place = waiting.place { waiting.edge.leave(place) }
    waiting = nil
  }

  /// The client has closed its end.
  func inputClosed(_ context: ChannelHandlerContext) {
    isHalfClosed = true
    if waiting != nil { hangUp(context) }
  }

  /// Closes the connection if its request waits for much longer: most often the client has gone.
  private func hangUp(_ context: ChannelHandlerContext) {
    let (bound, wait) = (NIOLoopBound((self, context), eventLoop: context.eventLoop), waits)
    context.eventLoop.scheduleTask(in: hangUp) {
      let (writer, context) = bound.value
      if writer.waiting?.place != nil, writer.waits == wait { context.close(promise: nil) }
    }
  }

  // MARK: Answers

  /// Answers a request, or has it wait; `false` where it is for the handlers above.
  ///
  /// - Parameter began: when it was read.
  func answer(_ reply: QuickDoor.Reply, of door: QuickDoor, since began: NIODeadline, _ context: ChannelHandlerContext)
    -> Bool
  {
    switch reply {
    case .answer(let answer, let family, let client):
      if isSecure, answer.answer.body.readableBytes > Self.longestSecure { return false }
      write(answer, door, family, client, since: began, context)
      return true
    case .waiting(let request):
      waiting = Waiting(door: door, request: .part(request), began: began)
      wait(for: request.wait.position, request.wait.patience, context)
      return true
    case .growing(let request):
      waiting = Waiting(door: door, request: .segment(request, hasBegun: false), began: began)
      grow(context)
      return true
    case .other: return false
    }
  }

  /// Has the request that waits go on with a part.
  private func wait(for position: PartPosition, _ patience: Duration, _ context: ChannelHandlerContext) {
    guard let edge = waiting?.edge else { return }
    waits += 1
    let (bound, wait) = (NIOLoopBound((self, context), eventLoop: context.eventLoop), waits)
    let begun = edge.wait(for: position, deadline: .now + patience, on: context.eventLoop) { outcome in
      let (writer, context) = bound.value
      writer.goOn(wait, outcome, context)
    }
    switch begun {
    case .waits(let place):
      waiting?.place = place
      if isHalfClosed { hangUp(context) }
    case .over(let outcome): end(of: outcome, context)
    }
  }

  /// A request has waited long enough.
  private func goOn(_ wait: Int, _ outcome: LiveEdge.Outcome, _ context: ChannelHandlerContext) {
    guard waiting != nil, waits == wait else { return }
    handler.noteActivity(context)
    end(of: outcome, context)
    context.flush()
    if waiting == nil { handler.goOn(context) }
  }

  private func end(of outcome: LiveEdge.Outcome, _ context: ChannelHandlerContext) {
    guard let waiting else { return }
    self.waiting?.place = nil
    switch waiting.request {
    case .part(let request):
      self.waiting = nil
      write(
        waiting.door.answer(request, outcome), waiting.door, request.family, request.client, since: waiting.began,
        context)
    case .segment(let request, let hasBegun):
      if case .published(let snapshot) = outcome {
        request.stream.camera.edge.wentOn(with: snapshot)
        grow(context, mustGrow: true)
      } else {
        cut(waiting.door, request, hasBegun, since: waiting.began, context)
      }
    }
  }

  private func write(
    _ answer: PreparedAnswer, _ door: QuickDoor, _ family: BrowserFamily?, _ client: ClientAddress,
    since began: NIODeadline, _ context: ChannelHandlerContext
  ) {
    let bytes = answer.bytes(at: time(nil))
    context.write(NIOAny(bytes.first), promise: nil)
    if let rest = bytes.rest { context.write(NIOAny(rest), promise: nil) }
    let time = context.eventLoop.now - began
    door.sent(answer, count: answer.count, family: family, client: client, after: .nanoseconds(time.nanoseconds))
  }

  // MARK: Segments that are being made

  /// Sends what there is of a segment, and waits for more of it.
  ///
  /// - Parameter mustGrow: whether there must be more by now: if not it was withdrawn.
  func grow(_ context: ChannelHandlerContext, mustGrow: Bool = false) {
    guard let waiting, case .segment(var request, var hasBegun) = waiting.request else { return }
    var mustGrow = mustGrow
    while true {
      // Who does not read gets the rest when they do, and holds nobody up.
      guard context.channel.isWritable else { break }
      guard let reading = request.segment.take() else {
        if mustGrow { return cut(waiting.door, request, hasBegun, since: waiting.began, context) }
        self.waiting?.request = .segment(request, hasBegun: hasBegun)
        // The wait begins first: what is sent can make the connection writable, which goes on with what has no place.
        wait(for: request.segment.next, request.stream.patience, context)
        return context.flush()
      }
      mustGrow = false
      let (bytes, isLast) =
        switch reading {
        case .more(let bytes): (bytes, false)
        case .last(let bytes): (bytes, true)
        case .cut: (ByteBuffer(), true)
        }
      if !hasBegun {
        hasBegun = true
        let head = waiting.door.head(request)
        let duration = Duration.nanoseconds((context.eventLoop.now - waiting.began).nanoseconds)
        waiting.door.sent(request, head: head.readableBytes, bytes: 0, after: duration)
        context.write(NIOAny(head), promise: nil)
      }
      waiting.door.sent(request, bytes: bytes.readableBytes)
      context.write(NIOAny(Self.chunk(bytes, isLast: isLast)), promise: nil)
      if isLast {
        self.waiting = nil
        return context.flush()
      }
    }
    self.waiting?.request = .segment(request, hasBegun: hasBegun)
    context.flush()
  }

  /// Nothing more comes of a segment although it is not whole. A body without its end is no whole one for any cache
  /// (RFC 9112, section 8).
  private func cut(
    _ door: QuickDoor, _ request: QuickDoor.Growing, _ hasBegun: Bool, since began: NIODeadline,
    _ context: ChannelHandlerContext
  ) {
    waiting = nil
    guard hasBegun else {
      return write(door.nothing(request), door, nil, request.client, since: began, context)
    }
    handler.breakOff(context)
  }

  /// A piece of a body in chunked coding (RFC 9112, section 7.1).
  private static func chunk(_ bytes: ByteBuffer, isLast: Bool) -> ByteBuffer {
    var chunk = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + 24)
    if bytes.readableBytes > 0 {
      chunk.writeString(String(bytes.readableBytes, radix: 16))
      chunk.writeStaticString("\r\n")
      chunk.writeImmutableBuffer(bytes)
      chunk.writeStaticString("\r\n")
    }
    if isLast { chunk.writeStaticString("0\r\n\r\n") }
    return chunk
  }
}
