import Access
import Glibc
import NIOCore
import NIOHPACK
import NIOHTTP2
import Packager
import Records
import Station

/// Writes the quick answers of one connection by HTTP/2, each on its stream.
///
/// A client that takes nothing holds no copy of a body: what its windows do not let through is the same memory for all.
/// Of a long body, and of a segment that is being made, 128 KiB at most are handed to NIO before the client has taken
/// those before.
final class FrameWriter {
  /// The most bytes of a body in one frame: with the frame's head they fill one TLS record.
  private static let piece = 16_384 - 9
  /// What is kept free for the head of an answer in the record of a long body's first piece.
  private static let headRoom = 1024
  /// The most bytes of a body that are handed over before the client has taken those before.
  private static let most = 128 << 10

  /// A stream that is answered here, until it is closed.
  private struct Stream {
    let began: NIODeadline
    var state: State
  }

  private enum State {
    /// The request waits for a part.
    case waiting(Request, LiveEdge.LoopWait)
    /// Something was written then, and the client has not taken all of it. `nil` where it was the last.
    case sending(since: NIODeadline, then: Rest?)
    /// The client is told that nothing more comes.
    case reset
  }

  private enum Request {
    case part(QuickDoor, QuickDoor.Waiting)
    case segment(Segment)

    var edge: LiveEdge {
      switch self {
      case .part(_, let request): request.stream.camera.edge
      case .segment(let segment): segment.edge
      }
    }
  }

  /// A segment that is being made.
  private struct Segment {
    let door: QuickDoor
    var request: QuickDoor.Growing
    var hasBegun = false

    var edge: LiveEdge { request.stream.camera.edge }
  }

  /// What follows of an answer.
  private struct Rest {
    var bytes: ByteBuffer
    /// What comes behind them; `nil` where the answer ends with them.
    let segment: Segment?
  }

  private let patience: TimeAmount
  private var context: ChannelHandlerContext?
  private var streams: [HTTP2StreamID: Stream] = [:]
  /// How many streams have something that is not taken.
  private var sending = 0
  private var slowReaders: Deadline?

  /// - Parameter patience: how long a client may take for what was handed over.
  init(patience: TimeAmount) { self.patience = patience }

  /// - Parameter context: where it writes, until `end`.
  func begin(_ context: ChannelHandlerContext) { self.context = context }

  /// The connection has ended.
  func end() {
    slowReaders?.cancel()
    for stream in streams.values { Self.leave(stream) }
    (streams, sending, slowReaders, context) = ([:], 0, nil, nil)
  }

  private static func leave(_ stream: Stream) {
    if case .waiting(let request, let place) = stream.state { request.edge.leave(place) }
  }

  // MARK: Streams

  /// Whether no stream is answered here.
  var isEmpty: Bool { streams.isEmpty }

  /// Whether a stream is answered here.
  func has(_ id: HTTP2StreamID) -> Bool { streams[id] != nil }

  /// A stream is closed; `false` where it was none of those here.
  func close(_ id: HTTP2StreamID) -> Bool {
    guard let stream = streams.removeValue(forKey: id) else { return false }
    if case .sending = stream.state { sending -= 1 } else { Self.leave(stream) }
    return true
  }

  private func set(_ state: State, of id: HTTP2StreamID, since began: NIODeadline) {
    let before = streams.updateValue(Stream(began: began, state: state), forKey: id)
    if case .sending = before?.state { sending -= 1 }
    if case .sending = state { sending += 1 }
  }

  /// Answers a request, or has it wait; `false` where it is for the handlers behind. What is written is not flushed.
  func answer(_ reply: QuickDoor.Reply, of door: QuickDoor, on id: HTTP2StreamID) -> Bool {
    guard let context else { return false }
    let began = context.eventLoop.now
    switch reply {
    case .answer(let answer, let family, let client):
      write(answer, door, family, client, on: id, since: began, context)
    case .waiting(let request):
      wait(.part(door, request), for: request.wait.position, request.wait.patience, on: id, since: began, context)
    case .growing(let request): grow(Segment(door: door, request: request), on: id, since: began, context)
    case .other: return false
    }
    return true
  }

  /// Has a request go on with a part.
  private func wait(
    _ request: Request, for position: PartPosition, _ patience: Duration, on id: HTTP2StreamID,
    since began: NIODeadline, _ context: ChannelHandlerContext
  ) {
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    let begun = request.edge.wait(for: position, deadline: .now + patience, on: context.eventLoop) { outcome in
      bound.value.goOn(id, outcome)
    }
    switch begun {
    case .waits(let place): set(.waiting(request, place), of: id, since: began)
    case .over(let outcome): end(of: outcome, request, on: id, since: began, context)
    }
  }

  /// A request has waited long enough.
  private func goOn(_ id: HTTP2StreamID, _ outcome: LiveEdge.Outcome) {
    guard let context, let stream = streams[id], case .waiting(let request, _) = stream.state else { return }
    end(of: outcome, request, on: id, since: stream.began, context)
    context.flush()
    watchReaders()
  }

  private func end(
    of outcome: LiveEdge.Outcome, _ request: Request, on id: HTTP2StreamID, since began: NIODeadline,
    _ context: ChannelHandlerContext
  ) {
    switch request {
    case .part(let door, let request):
      write(door.answer(request, outcome), door, request.family, request.client, on: id, since: began, context)
    case .segment(let segment):
      guard case .published(let snapshot) = outcome else { return cut(segment, on: id, since: began, context) }
      segment.edge.wentOn(with: snapshot)
      grow(segment, on: id, since: began, context, mustGrow: true)
    }
  }

  // MARK: Answers

  private func write(
    _ answer: PreparedAnswer, _ door: QuickDoor, _ family: BrowserFamily?, _ client: ClientAddress,
    on id: HTTP2StreamID, since began: NIODeadline, _ context: ChannelHandlerContext
  ) {
    let rest = Rest(bytes: answer.answer.body, segment: nil)
    send(rest, behind: answer.headers(at: time(nil)), on: id, since: began, context)
    // The bytes are counted as HTTP/1.1 writes them, for all versions.
    let duration = Duration.nanoseconds((context.eventLoop.now - began).nanoseconds)
    door.sent(answer, count: answer.count, family: family, client: client, after: duration)
  }

  private func write(
    _ payload: HTTP2Frame.FramePayload, on id: HTTP2StreamID, _ context: ChannelHandlerContext,
    promise: EventLoopPromise<Void>? = nil
  ) {
    context.write(NIOAny(HTTP2Frame(streamID: id, payload: payload)), promise: promise)
  }

  /// Hands the next bytes over, and goes on when the client has taken them.
  ///
  /// - Parameter head: that of the answer, if it was not written yet.
  private func send(
    _ rest: Rest, behind head: HPACKHeaders? = nil, on id: HTTP2StreamID, since began: NIODeadline,
    _ context: ChannelHandlerContext
  ) {
    var rest = rest
    var bytes = rest.bytes.readSlice(length: min(rest.bytes.readableBytes, Self.most)) ?? ByteBuffer()
    let isLast = rest.bytes.readableBytes == 0 && rest.segment == nil
    // The stream is told to be there, and can be closed, within the writes.
    set(.sending(since: context.eventLoop.now, then: isLast ? nil : rest), of: id, since: began)
    var length = Self.piece
    if let head {
      let isAll = isLast && bytes.readableBytes == 0
      write(.headers(.init(headers: head, endStream: isAll)), on: id, context)
      if isAll { return }
      if bytes.readableBytes > Self.piece - Self.headRoom { length = Self.piece - Self.headRoom }
    }
    repeat {
      let next = bytes.readSlice(length: min(length, bytes.readableBytes)) ?? ByteBuffer()
      length = Self.piece
      let isEnd = bytes.readableBytes == 0
      write(
        .data(.init(data: .byteBuffer(next), endStream: isEnd && isLast)), on: id, context,
        promise: isEnd && !isLast ? taken(id, context) : nil)
    } while bytes.readableBytes > 0
  }

  /// Succeeds when the client has taken what is written with it; then its stream goes on.
  private func taken(_ id: HTTP2StreamID, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
    let (promise, loop) = (context.eventLoop.makePromise(of: Void.self), context.eventLoop)
    let bound = NIOLoopBound(self, eventLoop: loop)
    // Not at once: a long answer to a quick reader would hold up the other connections of the event loop.
    promise.futureResult.whenSuccess { loop.execute { bound.value.goOn(id) } }
    return promise
  }

  private func goOn(_ id: HTTP2StreamID) {
    guard let context, let stream = streams[id], case .sending(_, let rest?) = stream.state else { return }
    if rest.bytes.readableBytes > 0 {
      send(rest, on: id, since: stream.began, context)
    } else if let segment = rest.segment {
      grow(segment, on: id, since: stream.began, context)
    }
    context.flush()
    watchReaders()
  }

  // MARK: Segments that are being made

  /// Sends what there is of a segment, or waits for more of it.
  ///
  /// - Parameter mustGrow: whether there must be more by now: if not it was withdrawn.
  private func grow(
    _ segment: Segment, on id: HTTP2StreamID, since began: NIODeadline, _ context: ChannelHandlerContext,
    mustGrow: Bool = false
  ) {
    var segment = segment
    let (bytes, isLast): (ByteBuffer, Bool)
    switch segment.request.segment.take() {
    case .more(let more): (bytes, isLast) = (more, false)
    case .last(let last): (bytes, isLast) = (last, true)
    case .cut: return cut(segment, on: id, since: began, context)
    case nil:
      if mustGrow { return cut(segment, on: id, since: began, context) }
      let stream = segment.request.stream
      return wait(
        .segment(segment), for: segment.request.segment.next, stream.patience, on: id, since: began, context)
    }
    var head: HPACKHeaders?
    if !segment.hasBegun {
      segment.hasBegun = true
      let duration = Duration.nanoseconds((context.eventLoop.now - began).nanoseconds)
      let (headers, count) = segment.door.headers(segment.request)
      head = headers
      segment.door.sent(segment.request, head: count, bytes: 0, after: duration)
    }
    segment.door.sent(segment.request, bytes: bytes.readableBytes)
    send(Rest(bytes: bytes, segment: isLast ? nil : segment), behind: head, on: id, since: began, context)
  }

  /// Nothing more comes of a segment although it is not whole. A stream that is reset is no whole answer for any cache.
  private func cut(
    _ segment: Segment, on id: HTTP2StreamID, since began: NIODeadline, _ context: ChannelHandlerContext
  ) {
    if segment.hasBegun { return reset(id, since: began, context) }
    let (door, request) = (segment.door, segment.request)
    write(door.nothing(request), door, nil, request.client, on: id, since: began, context)
  }

  private func reset(_ id: HTTP2StreamID, since began: NIODeadline, _ context: ChannelHandlerContext) {
    set(.reset, of: id, since: began)
    write(.rstStream(.cancel), on: id, context)
  }

  // MARK: Slow readers

  /// Looks after a while whether all answers were taken.
  func watchReaders() {
    guard sending > 0, slowReaders == nil, let context else { return }
    slowReaders = context.eventLoop.deadline(in: patience) { self.resetSlowReaders() }
  }

  /// Resets each stream whose client has not taken in time what was handed over.
  private func resetSlowReaders() {
    slowReaders = nil
    guard let context else { return }
    let latest = context.eventLoop.now - patience
    for (id, stream) in streams {
      if case .sending(let since, _) = stream.state, since <= latest { reset(id, since: stream.began, context) }
    }
    context.flush()
    watchReaders()
  }
}
