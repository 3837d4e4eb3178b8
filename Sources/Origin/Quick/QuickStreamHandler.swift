import Access
import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Records
import Station

/// Answers a request by HTTP/2 for a playlist or for media on the connection's event loop. Any other request gets
/// Hummingbird's handlers, and goes on to them.
///
/// Each request has a channel of its own, so nothing follows it there.
final class QuickStreamHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  /// The most bytes of a body in one piece.
  private static let piece = 65_536

  /// A longer body is sent by Hummingbird, which waits for a slow reader after each piece.
  private static let longest = 128 << 10

  private let newestDoor: @Sendable () -> QuickDoor
  private let patience: TimeAmount
  private let install: (any Channel) throws -> Void
  private var context: ChannelHandlerContext?
  private var head: HTTPRequest?
  private var isPassing = false
  private var waiting: (door: QuickDoor, request: QuickDoor.Waiting, place: LiveEdge.LoopWait)?
  private var began = NIODeadline.uptimeNanoseconds(0)
  private var endTask: Scheduled<Void>?

  /// - Parameters:
  ///   - door: the newest answers; asked for each request.
  ///   - patience: how long the end of a request can follow its head.
  ///   - install: puts Hummingbird's handlers behind this one.
  init(
    door: @escaping @Sendable () -> QuickDoor, patience: TimeAmount = .seconds(30),
    install: @escaping (any Channel) throws -> Void
  ) {
    (newestDoor, self.patience, self.install) = (door, patience, install)
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    if let waiting { waiting.request.stream.camera.edge.leave(waiting.place) }
    endTask?.cancel()
    (waiting, context, head, endTask) = (nil, nil, nil, nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.fireErrorCaught(error)
    // Above, Hummingbird closes.
    if !isPassing { context.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isPassing else { return context.fireChannelRead(data) }
    switch unwrapInboundIn(data) {
    case .head(let request):
      head = request
      // What has a body is not for here.
      if !Self.isBodiless(request) { pass(context) }
    case .body:
      pass(context)
      context.fireChannelRead(data)
    case .end:
      guard let head else { return }
      began = context.eventLoop.now
      if !answer(head, context) {
        pass(context)
        context.fireChannelRead(data)
      }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    // The end comes with the head, except from who sends a body, or nothing at all.
    guard head != nil, endTask == nil else { return }
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    endTask = context.eventLoop.scheduleTask(in: patience) {
      if bound.value.head != nil { bound.value.context?.close(promise: nil) }
    }
  }

  private static func isBodiless(_ request: HTTPRequest) -> Bool {
    (request.method == .get || request.method == .head) && request.headerFields[.contentLength] == nil
      && request.headerFields[.expect] == nil
  }

  private func pass(_ context: ChannelHandlerContext) {
    guard !isPassing, let head else { return }
    isPassing = true
    self.head = nil
    do {
      try install(context.channel)
      context.fireChannelRead(wrapInboundOut(.head(head)))
    } catch {
      context.close(promise: nil)
    }
  }

  private func answer(_ head: HTTPRequest, _ context: ChannelHandlerContext) -> Bool {
    let door = newestDoor()
    switch door.reply(to: head, peer: ClientAddress(context.channel.remoteAddress)) {
    case .answer(let answer, let family, let client):
      if answer.answer.body.readableBytes > Self.longest { return false }
      write(answer, context)
      count(answer, door, family, client, context)
    case .waiting(let request):
      let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
      let begun = request.stream.camera.edge.wait(
        for: request.wait.position, deadline: .now + request.wait.patience, on: context.eventLoop
      ) { outcome in
        bound.value.goOn(outcome)
      }
      switch begun {
      case .waits(let place): waiting = (door, request, place)
      case .over(let outcome): finish(door, request, outcome, context)
      }
    // Hummingbird sends a segment that is being made.
    case .growing, .other: return false
    }
    self.head = nil
    return true
  }

  /// The request has waited long enough.
  private func goOn(_ outcome: LiveEdge.Outcome) {
    guard let context, let (door, request, _) = waiting else { return }
    waiting = nil
    finish(door, request, outcome, context)
  }

  private func finish(
    _ door: QuickDoor, _ request: QuickDoor.Waiting, _ outcome: LiveEdge.Outcome, _ context: ChannelHandlerContext
  ) {
    let answer = door.answer(request, outcome)
    write(answer, context)
    count(answer, door, request.family, request.client, context)
  }

  private func write(_ answer: PreparedAnswer, _ context: ChannelHandlerContext) {
    var (fields, body) = (answer.answer.fields, answer.answer.body)
    fields[.date] = HTTPDate.now()
    let head = HTTPResponse(status: answer.answer.status, headerFields: fields)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    while let next = body.readSlice(length: min(Self.piece, body.readableBytes)), next.readableBytes > 0 {
      context.write(wrapOutboundOut(.body(next)), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  private func count(
    _ answer: PreparedAnswer, _ door: QuickDoor, _ family: BrowserFamily?, _ client: ClientAddress,
    _ context: ChannelHandlerContext
  ) {
    // The bytes are counted as HTTP/1.1 writes them, for all versions.
    let duration = Duration.nanoseconds((context.eventLoop.now - began).nanoseconds)
    door.sent(answer, count: answer.count, family: family, client: client, after: duration)
  }
}
