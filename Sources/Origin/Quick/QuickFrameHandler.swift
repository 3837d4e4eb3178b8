import Access
import Glibc
import NIOCore
import NIOHPACK
import NIOHTTP2
import Records
import Station

/// Answers requests for playlists and media on an HTTP/2 connection's event loop, frame by frame. All other streams go
/// on to the multiplexer behind it, which makes a channel of each.
///
/// It stands next to `NIOHTTP2Handler`, which keeps the rules of the protocol and holds back what the client's windows do
/// not let through. A stream that is answered here is known to nobody behind this handler but to `streams`.
final class QuickFrameHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias InboundOut = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  /// The most bytes of a body in one frame: with the frame's head they fill one TLS record.
  private static let piece = 16_384 - 9
  /// What is kept free for the head of an answer in the record of a long body's first piece.
  private static let headRoom = 1024
  /// A longer body is sent by Hummingbird, which waits for a slow reader after each piece.
  private static let longest = 128 << 10

  /// A stream that is answered here, until it is closed.
  private struct Stream {
    let began: NIODeadline
    var state: State

    enum State {
      /// The request waits for a part.
      case waiting(QuickDoor, QuickDoor.Waiting, LiveEdge.LoopWait?)
      /// The answer was written then; the client has not taken all of it.
      case sending(since: NIODeadline)
    }
  }

  private let newestDoor: @Sendable () -> QuickDoor
  private let patience: TimeAmount
  private let streamDelegate: any NIOHTTP2StreamDelegate
  private var context: ChannelHandlerContext?
  private var peer: ClientAddress?
  private var streams: [HTTP2StreamID: Stream] = [:]
  /// How many streams have an answer that is not wholly taken.
  private var sending = 0
  private var slowReaders: Scheduled<Void>?
  private var inboundWindow: Int?

  /// - Parameters:
  ///   - door: the newest answers; asked for each request.
  ///   - patience: how long a client may take for an answer.
  ///   - streams: told of the streams that are answered here.
  init(
    door: @escaping @Sendable () -> QuickDoor, patience: TimeAmount, streams: any NIOHTTP2StreamDelegate
  ) {
    (newestDoor, self.patience, streamDelegate) = (door, patience, streams)
  }

  // MARK: The connection

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    slowReaders?.cancel()
    for stream in streams.values { Self.leave(stream) }
    (streams, sending, slowReaders, context) = ([:], 0, nil, nil)
  }

  private static func leave(_ stream: Stream) {
    if case .waiting(_, let request, let place?) = stream.state { request.stream.camera.edge.leave(place) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let event as NIOHTTP2WindowUpdatedEvent:
      // Only what others send is the multiplexer's matter, and bodies come on its own streams alone.
      if event.streamID == .rootStream {
        guard event.inboundWindowSize != inboundWindow else { return }
        inboundWindow = event.inboundWindowSize
      } else if streams[event.streamID] != nil {
        return
      }
    case let event as NIOHTTP2StreamCreatedEvent where streams[event.streamID] != nil:
      return streamDelegate.streamCreated(event.streamID, channel: context.channel)
    case let event as StreamClosedEvent:
      guard let stream = streams.removeValue(forKey: event.streamID) else { break }
      if case .sending = stream.state { sending -= 1 } else { Self.leave(stream) }
      return streamDelegate.streamClosed(event.streamID, channel: context.channel)
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    if case .headers(let content) = frame.payload, content.endStream {
      // What has a body, and trailers, are not for here.
      if let head = StreamHead(content.headers), answer(head, on: frame.streamID, context) { return }
    } else if streams[frame.streamID] != nil {
      // The multiplexer does not know the stream. That it was reset comes as an event, too.
      return
    }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // What was written in the meantime was flushed by the handler before this one.
    watchReaders(context)
    context.fireChannelReadComplete()
  }

  /// Answers a request, or has it wait; `false` where it is for the handlers behind.
  private func answer(_ head: StreamHead, on id: HTTP2StreamID, _ context: ChannelHandlerContext) -> Bool {
    let peer = self.peer ?? ClientAddress(context.remoteAddress)
    self.peer = peer
    let (door, began) = (newestDoor(), context.eventLoop.now)
    switch door.reply(to: head, peer: peer) {
    case .answer(let answer, let family, let client):
      if answer.answer.body.readableBytes > Self.longest { return false }
      write(answer, on: id, since: began, context)
      count(answer, door, family, client, since: began, context)
      return true
    case .waiting(let request):
      let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
      let begun = request.stream.camera.edge.wait(
        for: request.wait.position, deadline: .now + request.wait.patience, on: context.eventLoop
      ) { outcome in
        bound.value.goOn(id, outcome)
      }
      switch begun {
      case .waits(let place): streams[id] = Stream(began: began, state: .waiting(door, request, place))
      case .over(let outcome): finish(door, request, outcome, on: id, since: began, context)
      }
      return true
    // Hummingbird sends a segment that is being made.
    case .growing, .other: return false
    }
  }

  /// A request has waited long enough.
  private func goOn(_ id: HTTP2StreamID, _ outcome: LiveEdge.Outcome) {
    guard let context, let stream = streams[id], case .waiting(let door, let request, _) = stream.state else { return }
    finish(door, request, outcome, on: id, since: stream.began, context)
    context.flush()
    watchReaders(context)
  }

  private func finish(
    _ door: QuickDoor, _ request: QuickDoor.Waiting, _ outcome: LiveEdge.Outcome, on id: HTTP2StreamID,
    since began: NIODeadline, _ context: ChannelHandlerContext
  ) {
    let answer = door.answer(request, outcome)
    write(answer, on: id, since: began, context)
    count(answer, door, request.family, request.client, since: began, context)
  }

  // MARK: Answers

  private func write(
    _ answer: PreparedAnswer, on id: HTTP2StreamID, since began: NIODeadline, _ context: ChannelHandlerContext
  ) {
    // The stream can be closed within the last of these writes.
    streams[id] = Stream(began: began, state: .sending(since: context.eventLoop.now))
    sending += 1
    var body = answer.answer.body
    let headers = HTTP2Frame.FramePayload.Headers(
      headers: answer.headers(at: time(nil)), endStream: body.readableBytes == 0)
    context.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: .headers(headers))), promise: nil)
    var length = body.readableBytes > Self.piece - Self.headRoom ? Self.piece - Self.headRoom : Self.piece
    while let next = body.readSlice(length: min(length, body.readableBytes)), next.readableBytes > 0 {
      let data = HTTP2Frame.FramePayload.Data(data: .byteBuffer(next), endStream: body.readableBytes == 0)
      context.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: .data(data))), promise: nil)
      length = Self.piece
    }
  }

  private func count(
    _ answer: PreparedAnswer, _ door: QuickDoor, _ family: BrowserFamily?, _ client: ClientAddress,
    since began: NIODeadline, _ context: ChannelHandlerContext
  ) {
    // The bytes are counted as HTTP/1.1 writes them, for all versions.
    let duration = Duration.nanoseconds((context.eventLoop.now - began).nanoseconds)
    door.sent(answer, count: answer.count, family: family, client: client, after: duration)
  }

  // MARK: Slow readers

  /// Looks after a while whether all answers were taken.
  private func watchReaders(_ context: ChannelHandlerContext) {
    guard sending > 0, slowReaders == nil else { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    slowReaders = context.eventLoop.scheduleTask(in: patience) { bound.value.resetSlowReaders() }
  }

  /// Resets each stream whose client has not taken the answer in time.
  private func resetSlowReaders() {
    slowReaders = nil
    guard let context else { return }
    let latest = context.eventLoop.now - patience
    var late: [HTTP2StreamID] = []
    for (id, stream) in streams {
      if case .sending(let since) = stream.state, since <= latest { late.append(id) }
    }
    for id in late {
      context.write(wrapOutboundOut(HTTP2Frame(streamID: id, payload: .rstStream(.cancel))), promise: nil)
    }
    if !late.isEmpty { context.flush() }
    watchReaders(context)
  }
}
