import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// One request.
struct WireAsk: Sendable {
  let request: HTTPRequest
  let kind: BodyKind
  let promise: EventLoopPromise<WireAnswer>
  /// Gets each piece of the body as it arrives, for bodies without an end; they are not kept then.
  let onBody: (@Sendable (ByteBuffer) -> Void)?
}

/// The answer.
struct WireAnswer: Sendable {
  let status: Int
  let fields: HTTPFields
  /// As received, possibly gzipped.
  var body: ByteBuffer
  /// When the first byte of the answer had arrived.
  let began: ContinuousClock.Instant
  /// When the last had.
  var ended: ContinuousClock.Instant
}

/// Why a request was not answered.
enum WireError: Error, CustomStringConvertible {
  case ended
  case status(Int, path: String)
  case unreadable(String, path: String)

  var description: String {
    switch self {
    case .ended: "the connection ended before the answer did"
    case .status(let status, let path): "\(path) was answered with \(status)"
    case .unreadable(let reason, let path): "\(path) cannot be used: \(reason)"
    }
  }
}

/// Sends one request after another over a connection, or the one of an HTTP/2 stream, and collects the answers.
final class WireExchangeHandler: ChannelDuplexHandler {
  typealias InboundIn = HTTPResponsePart
  typealias OutboundIn = WireAsk
  typealias OutboundOut = HTTPRequestPart

  private let tally: WireTally
  private var ask: WireAsk?
  private var answer: WireAnswer?

  init(tally: WireTally) { self.tally = tally }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let new = unwrapOutboundIn(data)
    guard ask == nil else { preconditionFailure("a connection has a request under way already") }
    ask = new
    context.write(wrapOutboundOut(.head(new.request)), promise: nil)
    context.write(wrapOutboundOut(.end(nil)), promise: promise)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      let now = ContinuousClock.now
      answer = WireAnswer(
        status: head.status.code, fields: head.headerFields, body: ByteBuffer(), began: now, ended: now)
    case .body(var bytes):
      guard let ask else { return }
      let count = bytes.readableBytes
      tally.add { counts in
        if ask.kind == .media { counts.media += count } else { counts.playlists += count }
      }
      if let onBody = ask.onBody { onBody(bytes) } else { answer?.body.writeBuffer(&bytes) }
    case .end:
      guard let ask, var answer else { return }
      (self.ask, self.answer) = (nil, nil)
      answer.ended = .now
      ask.promise.succeed(answer)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(WireError.ended)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(error)
    context.close(promise: nil)
  }

  private func fail(_ error: any Error) {
    ask?.promise.fail(error)
    (ask, answer) = (nil, nil)
  }
}
