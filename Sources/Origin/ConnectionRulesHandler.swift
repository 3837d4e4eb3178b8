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

  private var isLegacy = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    isLegacy = head.version.major < 1 || head.version.minor == 0
    if !head.isKeepAlive { head.headers.replaceOrAdd(name: "connection", value: "close") }
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard isLegacy, case .head(var head) = unwrapOutboundIn(data) else { return context.write(data, promise: promise) }
    head.version = .http1_0
    context.write(wrapOutboundOut(.head(head)), promise: promise)
  }
}

/// Puts a `ConnectionRulesHandler` into its place below HTTP's vocabulary, where Hummingbird offers none, and leaves.
final class ConnectionRulesInstaller: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = NIOAny

  func handlerAdded(context: ChannelHandlerContext) {
    let pipeline = context.pipeline.syncOperations
    // Over HTTP/2 there is no such codec, and none of these rules.
    if let codec = try? pipeline.handler(type: HTTP1ToHTTPServerCodec.self) {
      try? pipeline.addHandler(ConnectionRulesHandler(), position: .before(codec))
    }
    context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
  }
}
