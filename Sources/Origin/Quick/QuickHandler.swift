import Access
import Glibc
import NIOCore
import Packager
import Records
import Station

/// Answers requests for playlists and media on the connection's event loop, with one write each. All else goes on to
/// Hummingbird's handlers, in the very bytes that came, and answers leave in the order of their requests.
///
/// It stands next to the bytes, below the HTTP parser. While a request is with the handlers above, whatever follows goes
/// there too; what follows a request that waits here is held back.
final class QuickHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = NIOAny
  typealias OutboundOut = ByteBuffer

  /// The times that the rules of a connection give.
  struct Rules: Sendable {
    /// How long a connection can be open without a request.
    let idle: TimeAmount
    /// How long a client may read nothing of what there is to send.
    let patience: TimeAmount
    /// How long a request that waits outlives its client's end of the connection.
    var hangUp = TimeAmount.milliseconds(500)
  }

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

  private let newestDoor: @Sendable () -> QuickDoor
  private let isSecure: Bool
  private let rules: Rules
  private let install: (any Channel) -> EventLoopFuture<Void>

  private var context: ChannelHandlerContext?
  private var above: ConnectionRulesHandler?
  private var isInstalled = false
  /// What was read and is not answered.
  private var held: ByteBuffer?
  private var waiting: Waiting?
  private var waits = 0
  private var peer: ClientAddress?
  private var lastActive = NIODeadline.uptimeNanoseconds(0)
  private var idleTask: Scheduled<Void>?
  private let slowReader: SlowReaderWatch
  private var owesRead = false
  private var isHalfClosed = false
  private var isQuiescing = false
  private var isEnding = false

  /// - Parameters:
  ///   - door: the newest answers; asked for each request.
  ///   - isSecure: whether the connection has TLS.
  ///   - install: puts Hummingbird's handlers behind this one, at once; called when the first request is theirs.
  init(
    door: @escaping @Sendable () -> QuickDoor, isSecure: Bool, rules: Rules,
    install: @escaping (any Channel) -> EventLoopFuture<Void>
  ) {
    (newestDoor, self.isSecure, self.rules) = (door, isSecure, rules)
    self.install = install
    slowReader = SlowReaderWatch(rules.patience)
  }

  // MARK: The connection

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { begin(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func begin(_ context: ChannelHandlerContext) {
    guard idleTask == nil else { return }
    lastActive = context.eventLoop.now
    look(context, at: lastActive + rules.idle)
  }

  private func end() {
    idleTask?.cancel()
    slowReader.end()
    if let waiting, let place = waiting.place { waiting.edge.leave(place) }
    (waiting, held, context, above, idleTask) = (nil, nil, nil, nil, nil)
    isEnding = true
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.fireErrorCaught(error)
    // Above, Hummingbird closes.
    if !isInstalled { context.close(promise: nil) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let event as ChannelEvent where event == .inputClosed:
      if waiting != nil || held != nil {
        isHalfClosed = true
        if waiting != nil { hangUp(context) }
      } else if isBusyAbove {
        context.fireUserInboundEventTriggered(event)
      } else {
        close(context)
      }
    case is ChannelShouldQuiesceEvent:
      if waiting != nil || held != nil {
        isQuiescing = true
      } else if isBusyAbove {
        context.fireUserInboundEventTriggered(event)
      } else {
        close(context)
      }
    default: context.fireUserInboundEventTriggered(event)
    }
  }

  /// Closes the connection when all is written.
  private func close(_ context: ChannelHandlerContext) {
    guard !isEnding else { return }
    isEnding = true
    let channel = context.channel
    context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in channel.close(promise: nil) }
  }

  /// Closes the connection of a client that has closed its end, if its request waits for much longer: most often it has
  /// gone.
  private func hangUp(_ context: ChannelHandlerContext) {
    let (bound, wait) = (NIOLoopBound(self, eventLoop: context.eventLoop), waits)
    context.eventLoop.scheduleTask(in: rules.hangUp) {
      let handler = bound.value
      if handler.waiting?.place != nil, handler.waits == wait { handler.context?.close(promise: nil) }
    }
  }

  /// Closes a connection without requests.
  private func look(_ context: ChannelHandlerContext, at time: NIODeadline) {
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    idleTask = context.eventLoop.scheduleTask(deadline: time) {
      let handler = bound.value
      guard let context = handler.context else { return }
      let (now, due) = (context.eventLoop.now, handler.lastActive + handler.rules.idle)
      // Where the next request begins may not be known above; then the connection is idle all the same.
      let isAnswering = handler.waiting != nil || handler.above?.isAnswering ?? false
      if isAnswering || !context.channel.isWritable {
        handler.look(context, at: now + handler.rules.idle)
      } else if now < due {
        handler.look(context, at: due)
      } else {
        context.close(promise: nil)
      }
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    lastActive = context.eventLoop.now
    if context.channel.isWritable {
      slowReader.end()
      goOn(context)
    } else {
      slowReader.begin(context.channel)
    }
    context.fireChannelWritabilityChanged()
  }

  // MARK: Requests

  /// Whether a request is with the handlers above, or they end the connection.
  private var isBusyAbove: Bool { isInstalled && !(above?.isBetweenRequests ?? false) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isEnding else { return }
    lastActive = context.eventLoop.now
    var bytes = unwrapInboundIn(data)
    if held != nil { held?.writeBuffer(&bytes) } else { held = bytes }
    process(context)
  }

  func read(context: ChannelHandlerContext) {
    // Who sends more requests and reads no answers is read no further.
    if held != nil { owesRead = true } else { context.read() }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    lastActive = context.eventLoop.now
    context.write(data, promise: promise)
  }

  /// Goes on with what was held back.
  private func goOn(_ context: ChannelHandlerContext) {
    if let waiting, waiting.place == nil { grow(context) }
    guard held != nil, waiting == nil, !isEnding else { return finish(context) }
    process(context)
    context.fireChannelReadComplete()
  }

  private func process(_ context: ChannelHandlerContext) {
    var hasWritten = false
    while var bytes = held, waiting == nil, !isEnding {
      guard bytes.readableBytes > 0 else {
        held = nil
        break
      }
      guard !isBusyAbove else {
        passOn(context)
        break
      }
      guard context.channel.isWritable else { break }
      guard take(&bytes, context) else {
        if hasWritten { context.flush() }
        hasWritten = false
        // The flush may have gone on with it already.
        if waiting == nil { passOn(context) }
        break
      }
      hasWritten = true
    }
    if hasWritten { context.flush() }
    finish(context)
  }

  /// Answers the request at the front of what is held, or has it wait; `false` where it is for the handlers above.
  private func take(_ bytes: inout ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
    guard case .head(let head) = QuickHead.read(bytes) else { return false }
    let request = bytes
    bytes.moveReaderIndex(forwardBy: head.length)
    // An answer that is sent can go on at once with what is held: that must be what follows, not the same request.
    held = bytes.readableBytes > 0 ? bytes : nil
    if answer(head, in: request, context) { return true }
    held = request
    return false
  }

  /// Reads what was not read, and ends the connection if nobody asks for more.
  private func finish(_ context: ChannelHandlerContext) {
    guard held == nil else { return }
    if owesRead {
      owesRead = false
      context.read()
    }
    guard waiting == nil, isHalfClosed || isQuiescing else { return }
    guard isBusyAbove else { return close(context) }
    // What came last is with the handlers above.
    if isHalfClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    if isQuiescing { context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
    (isHalfClosed, isQuiescing) = (false, false)
  }

  private func passOn(_ context: ChannelHandlerContext) {
    guard let bytes = held.take() else { return }
    if !isInstalled {
      isInstalled = true
      let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
      install(context.channel).whenSuccess {
        let handler = bound.value
        handler.above = try? handler.context?.pipeline.syncOperations.handler(type: ConnectionRulesHandler.self)
      }
    }
    context.fireChannelRead(wrapInboundOut(bytes))
  }

  // MARK: Answers

  /// Answers a request, or has it wait; `false` where it is for the handlers above.
  private func answer(_ head: QuickHead, in bytes: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
    let peer = self.peer ?? ClientAddress(context.remoteAddress)
    self.peer = peer
    let door = newestDoor()
    switch door.reply(to: head, in: bytes, peer: peer) {
    case .answer(let answer, let family, let client):
      if isSecure, answer.answer.body.readableBytes > Self.longestSecure { return false }
      write(answer, door, family, client, since: lastActive, context)
      return true
    case .waiting(let request):
      waiting = Waiting(door: door, request: .part(request), began: lastActive)
      wait(for: request.wait.position, request.wait.patience, context)
      return true
    case .growing(let request):
      waiting = Waiting(door: door, request: .segment(request, hasBegun: false), began: lastActive)
      grow(context)
      return true
    case .other: return false
    }
  }

  /// Has the request that waits go on with a part.
  private func wait(for position: PartPosition, _ patience: Duration, _ context: ChannelHandlerContext) {
    guard let edge = waiting?.edge else { return }
    waits += 1
    let (bound, wait) = (NIOLoopBound(self, eventLoop: context.eventLoop), waits)
    let begun = edge.wait(for: position, deadline: .now + patience, on: context.eventLoop) { outcome in
      bound.value.goOn(wait, outcome)
    }
    switch begun {
    case .waits(let place):
      waiting?.place = place
      if isHalfClosed { hangUp(context) }
    case .over(let outcome): end(of: outcome, context)
    }
  }

  /// A request has waited long enough.
  private func goOn(_ wait: Int, _ outcome: LiveEdge.Outcome) {
    guard let context, waiting != nil, waits == wait else { return }
    lastActive = context.eventLoop.now
    end(of: outcome, context)
    context.flush()
    if waiting == nil { goOn(context) }
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

  // MARK: Segments that are being made

  /// Sends what there is of a segment, and waits for more of it.
  ///
  /// - Parameter mustGrow: whether there must be more by now: if not it was withdrawn.
  private func grow(_ context: ChannelHandlerContext, mustGrow: Bool = false) {
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
        context.write(wrapOutboundOut(head), promise: nil)
      }
      waiting.door.sent(request, bytes: bytes.readableBytes)
      context.write(wrapOutboundOut(Self.chunk(bytes, isLast: isLast)), promise: nil)
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
    held = nil
    close(context)
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

  private func write(
    _ answer: PreparedAnswer, _ door: QuickDoor, _ family: BrowserFamily?, _ client: ClientAddress,
    since began: NIODeadline, _ context: ChannelHandlerContext
  ) {
    let bytes = answer.bytes(at: time(nil))
    context.write(wrapOutboundOut(bytes.first), promise: nil)
    if let rest = bytes.rest { context.write(wrapOutboundOut(rest), promise: nil) }
    let time = context.eventLoop.now - began
    door.sent(answer, count: answer.count, family: family, client: client, after: .nanoseconds(time.nanoseconds))
  }
}
