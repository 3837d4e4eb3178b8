import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Follows the rules of connections that Hummingbird does not know, below the layer where it sees a request.
///
/// A `Connection` header is a list and ignores case (RFC 9110, section 7.6.1). HTTP/1.0 closes after each answer unless
/// the client asks otherwise, and has no chunked bodies (RFC 9112, sections 7.1 and 9.3).
final class ConnectionRulesHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let deadline: HeaderDeadlineHandler
  private var isLegacy = false
  private var isTooLong = false
  private var openRequests = 0

  init(deadline: HeaderDeadlineHandler) { self.deadline = deadline }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let part = unwrapInboundIn(data)
    if case .end = part { deadline.requestEnded() }
    guard case .head(var head) = part else { return context.fireChannelRead(data) }
    deadline.headerCame()
    openRequests += 1
    deadline.isAnswering = true
    isLegacy = head.version.major < 1 || head.version.minor == 0
    if !head.isKeepAlive { head.headers.replaceOrAdd(name: "connection", value: "close") }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if case HTTPParserError.headerOverflow? = error as? HTTPParserError { isTooLong = true }
    context.fireErrorCaught(error)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    if case .end = part {
      openRequests -= 1
      deadline.isAnswering = openRequests > 0
    }
    guard isLegacy || isTooLong, case .head(var head) = part else { return context.write(data, promise: promise) }
    if isLegacy { head.version = .http1_0 }
    // Hummingbird answers 400 to everything that cannot be read; RFC 6585, section 5 has the right status.
    if isTooLong, head.status == .badRequest { head.status = .requestHeaderFieldsTooLarge }
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }
}

/// Puts a `ConnectionRulesHandler` and a `HeaderDeadlineHandler` below the HTTP/1 codec, where Hummingbird has no place
/// for handlers of others, and leaves the pipeline.
///
/// A connection on which they have no place is closed with an error in the log: without them it would have no deadline.
final class ConnectionRulesInstaller: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny

  private let headerTime: TimeAmount
  private let logger: Logger

  /// - Parameter headerTime: the most time for the header of a request.
  init(headerTime: TimeAmount, logger: Logger) {
    self.headerTime = headerTime
    self.logger = logger
  }

  func handlerAdded(context: ChannelHandlerContext) {
    do {
      // Over HTTP/2 each request has its own channel and needs none of these rules.
      if context.channel.parent?.parent == nil { try install(in: context.pipeline.syncOperations) }
    } catch {
      MissingHandler.report(error, on: context.channel, logger: logger)
    }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }

  private func install(in pipeline: ChannelPipeline.SynchronousOperations) throws {
    let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
    let encoder = try pipeline.handler(type: HTTPResponseEncoder.self)
    let deadline = HeaderDeadlineHandler(headerTime)
    try pipeline.addHandler(ConnectionRulesHandler(deadline: deadline), position: .before(codec))
    // Below the encoder too, since it writes bytes.
    try pipeline.addHandler(deadline, position: .before(encoder))
  }
}
