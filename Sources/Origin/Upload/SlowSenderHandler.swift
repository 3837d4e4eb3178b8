import HTTPTypes
import Media
import NIOCore
import NIOHTTPTypes

/// Answers 408 and closes if a client sends nothing in the middle of a body for too long.
///
/// Cameras with bad radio links send slowly, so the time runs from read to read and not over a whole body.
final class SlowSenderHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  /// Says how many stills of the body that is being read were taken.
  struct Taken: Sendable {
    let count: Int
  }

  private let patience: TimeAmount
  private var taken = 0
  private var deadline: Deadline?
  private var lastRead = NIODeadline.uptimeNanoseconds(0)
  private var isReading = false
  private var isAnswered = false

  init(_ patience: TimeAmount) { self.patience = patience }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastRead = context.eventLoop.now
    switch unwrapInboundIn(data) {
    case .head:
      isReading = true
      isAnswered = false
      taken = 0
      if deadline == nil { schedule(context, at: lastRead + patience) }
    case .body: break
    case .end: isReading = false
    }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    if case .head(let head) = unwrapOutboundIn(data), head.status.kind != .informational { isAnswered = true }
    context.write(data, promise: promise)
  }

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard let event = event as? Taken else { return context.triggerUserOutboundEvent(event, promise: promise) }
    taken = event.count
    promise?.succeed()
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    deadline?.cancel()
    deadline = nil
  }

  private func schedule(_ context: ChannelHandlerContext, at time: NIODeadline) {
    deadline = context.eventLoop.deadline(at: time) { self.look(context) }
  }

  private func look(_ context: ChannelHandlerContext) {
    deadline = nil
    guard isReading else { return }
    guard context.eventLoop.now >= lastRead + patience else { return schedule(context, at: lastRead + patience) }
    if !isAnswered {
      let detail = BrokenBody.detail(
        "nothing more of the body came for \(patience.nanoseconds / 1_000_000_000) s", taken: taken)
      let body = ByteBuffer(string: "{\"error\":\"slowBody\",\"detail\":\(detail.jsonQuoted)}\n")
      var head = HTTPResponse(status: .requestTimeout)
      head.headerFields[.contentType] = "application/json"
      head.headerFields[.cacheControl] = "no-store"
      head.headerFields[.contentLength] = "\(body.readableBytes)"
      // Over HTTP/2 a request has its own stream (RFC 9113, section 8.2.2).
      if context.channel.parent?.parent == nil { head.headerFields[.connection] = "close" }
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(body)), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    context.close(promise: nil)
  }
}

/// The words of an answer to a body that does not come to its end.
enum BrokenBody {
  /// One sentence.
  ///
  /// - Parameters:
  ///   - what: what happened to it.
  ///   - taken: how many whole stills were found in it and taken.
  static func detail(_ what: String, taken: Int) -> String {
    switch taken {
    case 0: "\(what); send it again, whole and without long pauses"
    case 1: "\(what); the picture in it was whole and was taken, so send the next one, with a length that is true"
    default: "\(what); the \(taken) pictures in it were taken, so go on with the next one"
    }
  }
}
