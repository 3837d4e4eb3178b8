import NIOConcurrencyHelpers
import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2

@testable import Origin

/// A connection by HTTP/2 between a client and the quick handler, with NIO's own protocol on both ends.
final class FramesConnection {
  /// What the client has got on a stream.
  struct Answer {
    var headers = HPACKHeaders()
    var body = ByteBuffer()
    /// Whether the answer has ended.
    var isEnded = false
    /// Why the stream was reset.
    var reset: HTTP2ErrorCode?

    var status: String? { headers.first(name: ":status") }
    var text: String { String(buffer: body) }
  }

  /// Counts the streams that were answered by the quick handler.
  struct StreamCount: NIOHTTP2StreamDelegate {
    private let counts = NIOLockedValueBox((created: 0, closed: 0))
    var created: Int { counts.withLockedValue { $0.created } }
    var closed: Int { counts.withLockedValue { $0.closed } }
    func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { counts.withLockedValue { $0.created += 1 } }
    func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { counts.withLockedValue { $0.closed += 1 } }
  }

  /// Takes the frames and the streams that go on.
  private final class Behind: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    var frames: [HTTP2Frame] = []
    var closed: [HTTP2StreamID] = []
    var quiesced = 0

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { frames.append(unwrapInboundIn(data)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if let event = event as? StreamClosedEvent { closed.append(event.streamID) }
      if event is ChannelShouldQuiesceEvent { quiesced += 1 }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}
  }

  let server = EmbeddedChannel()
  let client = EmbeddedChannel()
  let streams = StreamCount()
  private let behind = Behind()
  private(set) var answers: [HTTP2StreamID: Answer] = [:]
  /// The errors that the server has said goodbye with.
  private(set) var goAways: [HTTP2ErrorCode] = []

  /// - Parameters:
  ///   - settings: those of the client.
  ///   - below: handlers of the server between the protocol and the socket.
  init(
    settings: HTTP2Settings, below: [any ChannelHandler] = [],
    handler: (any NIOHTTP2StreamDelegate) -> QuickFrameHandler
  ) throws {
    let http2 = NIOHTTP2Handler(mode: .server, connectionConfiguration: .init(), streamConfiguration: .init())
    try server.pipeline.syncOperations.addHandlers(below + [http2, handler(streams), behind])
    try client.pipeline.syncOperations.addHandler(NIOHTTP2Handler(mode: .client, initialSettings: settings))
    try server.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 40_000)).wait()
    try client.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 443)).wait()
    try exchange()
  }

  deinit {
    _ = try? server.finish(acceptAlreadyClosed: true)
    _ = try? client.finish(acceptAlreadyClosed: true)
  }

  /// The frames that went on, but for those of the connection itself.
  var passedOn: [HTTP2Frame] { behind.frames.filter { $0.streamID != .rootStream } }

  /// How often the handlers behind were told to end the connection.
  var quiesced: Int { behind.quiesced }

  /// The streams whose end went on.
  var closedBehind: [HTTP2StreamID] { behind.closed }

  /// Sends a request.
  func ask(
    _ id: HTTP2StreamID, _ path: String, _ fields: [(String, String)] = [], method: String = "GET", ends: Bool = true
  ) throws {
    let head = [(":method", method), (":path", path), (":scheme", "https"), (":authority", "a")] + fields
    try send(id, .headers(.init(headers: HPACKHeaders(head), endStream: ends)))
  }

  /// Sends a frame.
  func send(_ id: HTTP2StreamID, _ payload: HTTP2Frame.FramePayload) throws {
    client.write(HTTP2Frame(streamID: id, payload: payload), promise: nil)
    client.flush()
    try exchange()
  }

  /// Carries all bytes to the other end, until there are no more.
  func exchange() throws {
    var isQuiet = false
    while !isQuiet {
      isQuiet = true
      for (from, to) in [(client, server), (server, client)] {
        while let bytes = try from.readOutbound(as: IOData.self) {
          guard case .byteBuffer(let bytes) = bytes, to.isActive else { continue }
          isQuiet = false
          try to.writeInbound(bytes)
        }
      }
    }
    while let frame = try client.readInbound(as: HTTP2Frame.self) { take(frame) }
  }

  /// Lets the event loop of the server do what it has, until there is nothing more to carry.
  func run() throws {
    for _ in 0..<100 {
      server.embeddedEventLoop.run()
      try exchange()
    }
  }

  private func take(_ frame: HTTP2Frame) {
    if case .goAway(_, let code, _) = frame.payload { goAways.append(code) }
    var answer = answers[frame.streamID] ?? Answer()
    switch frame.payload {
    case .headers(let content):
      (answer.headers, answer.isEnded) = (content.headers, content.endStream)
    case .data(let content):
      if case .byteBuffer(let bytes) = content.data { answer.body.writeImmutableBuffer(bytes) }
      answer.isEnded = content.endStream
    case .rstStream(let code): answer.reset = code
    default: return
    }
    answers[frame.streamID] = answer
  }
}
