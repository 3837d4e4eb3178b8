import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Keeps the rules of connections that Hummingbird does not know, below the layer where it sees a request.
///
/// A `Connection` header is a list without regard to case (RFC 9110, section 7.6.1), and HTTP/1.0 closes after each
/// answer unless the client asks otherwise, and has no chunked bodies (RFC 9112, sections 7.1 and 9.3).
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
    // Hummingbird answers 400 to all that cannot be read (RFC 6585, section 5, has the word for this).
    if isTooLong, head.status == .badRequest { head.status = .requestHeaderFieldsTooLarge }
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }
}

/// Puts a `ConnectionRulesHandler` and a `HeaderDeadlineHandler` into their places below HTTP's vocabulary, where Hummingbird offers none, and leaves.
final class ConnectionRulesInstaller: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny

  private let headerTime: TimeAmount

  /// - Parameter headerTime: how long the header of a request may take.
  init(headerTime: TimeAmount) { self.headerTime = headerTime }

  func handlerAdded(context: ChannelHandlerContext) {
    let pipeline = context.pipeline.syncOperations
    // Over HTTP/2 there is no such codec, and none of these rules.
    if let codec = try? pipeline.handler(type: HTTP1ToHTTPServerCodec.self) {
      let deadline = HeaderDeadlineHandler(headerTime)
      try? pipeline.addHandler(ConnectionRulesHandler(deadline: deadline), position: .before(codec))
      // Below the encoder too, since it writes bytes.
      if let encoder = try? pipeline.handler(type: HTTPResponseEncoder.self) {
        try? pipeline.addHandler(deadline, position: .before(encoder))
      }
    }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }
}
