import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

@testable import Origin

/// A connection in memory, whose clock the test turns.
final class Connection {
  let channel = EmbeddedChannel()
  private let end = OutputEnd()

  /// A connection whose bytes these handlers see first to last.
  init(_ handlers: [any ChannelHandler] = []) throws {
    try channel.pipeline.syncOperations.addHandlers([end] + handlers)
  }

  /// A connection on which HTTP/1 is spoken, and these handlers see its parts.
  static func http(_ handlers: [any ChannelHandler]) throws -> Connection {
    let connection = try Connection()
    let pipeline = connection.channel.pipeline.syncOperations
    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
    try pipeline.addHandlers(handlers)
    try connection.begin()
    return connection
  }

  deinit { _ = try? channel.finish(acceptAlreadyClosed: true) }

  /// Whether neither side has ended it.
  var isOpen: Bool { channel.isActive }
  /// Whether our direction is closed; the other may still be open.
  var hasClosedOutput: Bool { end.isClosed }

  /// Makes the connection active.
  func begin(from address: String = "127.0.0.1") throws {
    try channel.connect(to: SocketAddress(ipAddress: address, port: 40_000)).wait()
  }

  func advance(_ time: TimeAmount) { channel.embeddedEventLoop.advanceTime(by: time) }

  func receive(_ text: String) throws { try channel.writeInbound(ByteBuffer(string: text)) }

  /// The bytes that were sent since the last call.
  func sent() throws -> String {
    var text = ""
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) { text += String(buffer: bytes) }
    return text
  }

  /// The parts of requests that came out since the last call.
  func parts() throws -> [HTTPRequestPart] {
    var parts: [HTTPRequestPart] = []
    while let part = try channel.readInbound(as: HTTPRequestPart.self) { parts.append(part) }
    return parts
  }

  func inputCloses() { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }

  /// Closes one direction as a socket does, where `EmbeddedChannel` closes both.
  private final class OutputEnd: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    private(set) var isClosed = false

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
      isClosed = true
      guard mode == .output else { return context.close(mode: mode, promise: promise) }
      promise?.succeed()
    }
  }
}
