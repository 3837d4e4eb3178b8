import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Follows the rules of connections that Hummingbird does not know, below the layer where it sees a request.
///
/// A `Connection` header is a list without regard to case (RFC 9110, section 7.6.1), HTTP/1.0 closes after each
/// answer unless the client asks otherwise, and has no chunked bodies (RFC 9112, sections 7.1 and 9.3), HTTP/1.1 names
/// one host (section 3.2), and who sends what cannot be read is told why.
final class ConnectionRulesHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  private let deadline: HeaderDeadlineHandler
  private let heads: RequestHeadHandler
  private let tell: (HeadFault, (any Channel)) -> Void
  private var isLegacy = false
  private var isInBody = false
  private var fault: HeadFault?
  private var isExplaining = false
  private var openRequests = 0
  private var isLast = false

  /// Whether a request has no answer, or not the whole of it.
  var isAnswering: Bool { openRequests > 0 }

  /// Whether every request has been read and answered, and another one can follow.
  var isBetweenRequests: Bool { openRequests == 0 && !isLast && fault == nil && heads.isAtHead }

  /// - Parameters:
  ///   - deadline: is told when a head is complete.
  ///   - heads: likewise.
  ///   - tell: told of each request that cannot be read, with its connection.
  init(
    deadline: HeaderDeadlineHandler, heads: RequestHeadHandler, tell: @escaping (HeadFault, any Channel) -> Void
  ) {
    self.deadline = deadline
    self.heads = heads
    self.tell = tell
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    // What follows something that could not be read is no request.
    guard fault == nil else { return }
    let part = unwrapInboundIn(data)
    if case .end = part {
      isInBody = false
      deadline.requestEnded()
      heads.messageEnded()
    }
    guard case .head(var head) = part else { return context.fireChannelRead(data) }
    isInBody = true
    deadline.headerCame()
    heads.headCame(Self.framing(of: head))
    openRequests += 1
    deadline.isAnswering = true
    isLegacy = head.version.major < 1 || head.version.minor == 0
    if !isLegacy, let refusal = Self.hostFault(head) {
      refuse(refusal, context)
      // Hummingbird answers 400 to its parser's errors, and closes.
      return context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
    }
    if !head.isKeepAlive {
      isLast = true
      head.headers.replaceOrAdd(name: "connection", value: "close")
    }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if let error = error as? HTTPParserError, fault == nil {
      refuse(HeadFault(error, head: heads.pending, isInBody: isInBody), context)
    }
    context.fireErrorCaught(error)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part = unwrapOutboundIn(data)
    if case .end = part {
      openRequests -= 1
      deadline.isAnswering = openRequests > 0
      if isExplaining, let fault {
        isExplaining = false
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: fault.json)))), promise: nil)
      }
    }
    if case .head(let head) = part, head.headers.contains(name: "connection") { isLast = true }
    guard isLegacy || fault != nil, case .head(var head) = part else { return context.write(data, promise: promise) }
    if isLegacy { head.version = .http1_0 }
    // Hummingbird's answer to all that cannot be read has no body.
    if let fault, head.status == .badRequest, head.headers["content-length"] == ["0"] {
      isExplaining = true
      head.status = fault.status
      head.headers.replaceOrAdd(name: "Content-Length", value: "\(fault.json.utf8.count)")
      head.headers.add(name: "Content-Type", value: "application/json")
      head.headers.add(name: "Cache-Control", value: "no-store")
    }
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }

  private func refuse(_ fault: HeadFault, _ context: ChannelHandlerContext) {
    self.fault = fault
    // Who breaks off in the middle of a body sent nothing wrong; cameras on bad radio do it often.
    if fault.status != .requestTimeout { tell(fault, context.channel) }
  }

  private static func framing(of head: HTTPRequestHead) -> RequestHeadHandler.Framing {
    if head.headers.contains(name: "transfer-encoding") || head.method == .CONNECT
      || head.headers.contains(name: "upgrade")
    {
      return .other
    }
    return .length(head.headers["content-length"].first.flatMap { Int($0) } ?? 0)
  }

  /// A request by HTTP/1.1 names exactly one host; proxies and caches go by it (RFC 9112, section 3.2).
  private static func hostFault(_ head: HTTPRequestHead) -> HeadFault? {
    let hosts = head.headers["host"].count
    guard hosts != 1 else { return nil }
    return HeadFault(
      hosts == 0
        ? "the request has no Host header, and HTTP/1.1 asks for one; send Host: with the name or address of this server"
        : "the request has \(hosts) Host headers; send one")
  }
}

/// Puts a `ConnectionRulesHandler` and the handlers that it works with below the HTTP/1 codec, where Hummingbird has no
/// place for handlers of others, and leaves the pipeline.
///
/// A connection on which they have no place is closed with an error in the log: without them it would have no deadline.
final class ConnectionRulesInstaller: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny

  private let headerTime: TimeAmount
  private let tell: (HeadFault, any Channel) -> Void
  private let logger: Logger

  /// - Parameters:
  ///   - headerTime: how long the header of a request may take.
  ///   - tell: called for each request that cannot be read, with its connection.
  init(headerTime: TimeAmount, logger: Logger, tell: @escaping (HeadFault, any Channel) -> Void) {
    self.headerTime = headerTime
    self.logger = logger
    self.tell = tell
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
    let (deadline, heads) = (HeaderDeadlineHandler(headerTime), RequestHeadHandler())
    try pipeline.addHandler(
      ConnectionRulesHandler(deadline: deadline, heads: heads, tell: tell), position: .before(codec))
    // Below the encoder too, since they read and write bytes.
    try pipeline.addHandlers([deadline, heads], position: .before(encoder))
  }
}
