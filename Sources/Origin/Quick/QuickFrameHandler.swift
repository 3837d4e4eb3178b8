import Access
import NIOCore
import NIOHPACK
import NIOHTTP2

/// Answers requests for playlists and media on an HTTP/2 connection's event loop, frame by frame. All other streams go
/// on to the multiplexer behind it, which makes a channel of each.
///
/// It stands next to `NIOHTTP2Handler`, which keeps the rules of the protocol and holds back what the client's windows do
/// not let through. A stream that is answered here is known to nobody behind this handler but to `streams`.
final class QuickFrameHandler: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias InboundOut = HTTP2Frame

  /// The most bytes of bodies that are written before they are sent.
  private static let mostUnsent = 128 << 10

  private let newestDoor: @Sendable () -> QuickDoor
  private let streamDelegate: any NIOHTTP2StreamDelegate
  private let writer: FrameWriter
  private let idle: IdleWatch
  private var peer: ClientAddress?
  /// The open streams that are the matter of the handlers behind.
  private var others: Set<HTTP2StreamID> = []
  private var inboundWindow: Int?
  /// The window of the connection that the client gives (RFC 9113, section 6.9.2).
  private var outboundWindow = 65_535
  private var unsent = 0
  private var protocolContext: ChannelHandlerContext?

  /// - Parameters:
  ///   - door: the newest answers; asked for each request.
  ///   - rules: the times of the connection; `patience` holds for an answer, or for each 128 KiB of one.
  ///   - streams: told of the streams that are answered here.
  init(
    door: @escaping @Sendable () -> QuickDoor, rules: QuickHandler.Rules, streams: any NIOHTTP2StreamDelegate
  ) {
    (newestDoor, streamDelegate) = (door, streams)
    (writer, idle) = (FrameWriter(patience: rules.patience), IdleWatch(rules.idle))
  }

  // MARK: The connection

  func handlerAdded(context: ChannelHandlerContext) {
    writer.begin(context)
    protocolContext = try? context.pipeline.syncOperations.context(handlerType: NIOHTTP2Handler.self)
    idle.begin(context.eventLoop) { [self] in
      !others.isEmpty || !writer.isEmpty
    } isOver: {
      // The client is told before the connection is closed, so that no request of it is lost.
      context.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    idle.end()
    writer.end()
    protocolContext = nil
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch event {
    case let event as NIOHTTP2WindowUpdatedEvent:
      // Only what others send is the multiplexer's matter, and bodies come on its own streams alone.
      if event.streamID == .rootStream {
        sendIfMuch(event.outboundWindowSize)
        guard event.inboundWindowSize != inboundWindow else { return }
        inboundWindow = event.inboundWindowSize
      } else if writer.has(event.streamID) {
        return
      }
    case let event as NIOHTTP2StreamCreatedEvent:
      if writer.has(event.streamID) { return streamDelegate.streamCreated(event.streamID, channel: context.channel) }
      others.insert(event.streamID)
    case let event as StreamClosedEvent:
      let isQuick = writer.close(event.streamID)
      // A stream whose head is malformed is closed without having been created, which nobody behind expects.
      guard isQuick || others.remove(event.streamID) != nil else { return }
      idle.note(context.eventLoop.now)
      if isQuick { return streamDelegate.streamClosed(event.streamID, channel: context.channel) }
    default: break
    }
    context.fireUserInboundEventTriggered(event)
  }

  /// Sends what was written, where it has become much. NIO writes all that the windows of all streams let through before
  /// it sends it, and TLS makes a copy of it, which a client that reads nothing would fill with megabytes; once the
  /// socket is full NIO writes no more.
  ///
  /// Each DATA frame changes the window, which is told behind the whole frame.
  private func sendIfMuch(_ window: Int?) {
    guard let window else { return }
    if window < outboundWindow { unsent += outboundWindow - window }
    outboundWindow = window
    guard unsent >= Self.mostUnsent else { return }
    unsent = 0
    protocolContext?.flush()
  }

  // MARK: Requests

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    if case .headers(let content) = frame.payload, content.endStream {
      // What has a body, and trailers, are not for here.
      if let head = StreamHead(content.headers), answer(head, on: frame.streamID, context) { return }
    } else if writer.has(frame.streamID) {
      // The multiplexer does not know the stream. That it was reset comes as an event, too.
      return
    }
    context.fireChannelRead(data)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // What was written in the meantime was flushed by the handler before this one.
    writer.watchReaders()
    context.fireChannelReadComplete()
  }

  /// Answers a request, or has it wait; `false` where it is for the handlers behind.
  private func answer(_ head: StreamHead, on id: HTTP2StreamID, _ context: ChannelHandlerContext) -> Bool {
    let peer = self.peer ?? ClientAddress(context.remoteAddress)
    self.peer = peer
    let door = newestDoor()
    return writer.answer(door.reply(to: head, peer: peer), of: door, on: id)
  }
}
