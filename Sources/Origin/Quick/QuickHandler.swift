import Access
import NIOCore

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

  private let newestDoor: @Sendable () -> QuickDoor
  private let install: (any Channel) -> EventLoopFuture<Void>
  private let makeWriter: (QuickHandler) -> QuickWriter
  private lazy var writer = makeWriter(self)

  private var context: ChannelHandlerContext?
  private var above: ConnectionRulesHandler?
  private var isInstalled = false
  /// What was read and is not answered.
  private var held: ByteBuffer?
  private var peer: ClientAddress?
  private let idle: IdleWatch
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
    (newestDoor, self.install) = (door, install)
    makeWriter = { QuickWriter($0, isSecure: isSecure, hangUp: rules.hangUp) }
    (idle, slowReader) = (IdleWatch(rules.idle), SlowReaderWatch(rules.patience))
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
    let channel = context.channel
    idle.begin(channel.eventLoop) { [weak self] in
      // Where the next request begins may not be known above; then the connection is idle all the same.
      guard let self else { return false }
      return writer.isWaiting || above?.isAnswering ?? false || !channel.isWritable
    } isOver: {
      channel.close(promise: nil)
    }
  }

  private func end() {
    idle.end()
    slowReader.end()
    writer.end()
    (held, context, above) = (nil, nil, nil)
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
      if writer.isWaiting || held != nil {
        isHalfClosed = true
        writer.inputClosed(context)
      } else if isBusyAbove {
        context.fireUserInboundEventTriggered(event)
      } else {
        close(context)
      }
    case is ChannelShouldQuiesceEvent:
      if writer.isWaiting || held != nil {
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

  /// Closes the connection behind an answer that is not whole; what follows it is not answered.
  func breakOff(_ context: ChannelHandlerContext) {
    held = nil
    close(context)
  }

  /// A request goes on, or something is read or written.
  func noteActivity(_ context: ChannelHandlerContext) { idle.note(context.eventLoop.now) }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    noteActivity(context)
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
    noteActivity(context)
    var bytes = unwrapInboundIn(data)
    if held != nil { held?.writeBuffer(&bytes) } else { held = bytes }
    process(context)
  }

  func read(context: ChannelHandlerContext) {
    // Who sends more requests and reads no answers is read no further.
    if held != nil { owesRead = true } else { context.read() }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    noteActivity(context)
    context.write(data, promise: promise)
  }

  /// Goes on with what was held back.
  func goOn(_ context: ChannelHandlerContext) {
    if writer.isWaitingForReader { writer.grow(context) }
    guard held != nil, !writer.isWaiting, !isEnding else { return finish(context) }
    process(context)
    context.fireChannelReadComplete()
  }

  private func process(_ context: ChannelHandlerContext) {
    var hasWritten = false
    while var bytes = held, !writer.isWaiting, !isEnding {
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
        if !writer.isWaiting { passOn(context) }
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
    guard !writer.isWaiting, isHalfClosed || isQuiescing else { return }
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

  /// Answers a request, or has it wait; `false` where it is for the handlers above.
  private func answer(_ head: QuickHead, in bytes: ByteBuffer, _ context: ChannelHandlerContext) -> Bool {
    let peer = self.peer ?? ClientAddress(context.remoteAddress)
    self.peer = peer
    let door = newestDoor()
    return writer.answer(door.reply(to: head, in: bytes, peer: peer), of: door, since: idle.lastActive, context)
  }
}
