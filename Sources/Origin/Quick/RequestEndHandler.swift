import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Holds back the head of a request by HTTP/2 without a body until the request has ended, and closes its stream if that
/// takes too long. Hummingbird's handlers are made for what goes on.
final class RequestEndHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart

  private let patience: TimeAmount
  private let install: (any Channel) throws -> Void
  private var context: ChannelHandlerContext?
  private var head: HTTPRequest?
  private var isPassing = false
  private var deadline: Deadline?

  /// - Parameters:
  ///   - patience: how long the end of a request can follow its head.
  ///   - install: puts Hummingbird's handlers behind this one.
  init(patience: TimeAmount, install: @escaping (any Channel) throws -> Void) {
    (self.patience, self.install) = (patience, install)
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  private func end() {
    deadline?.cancel()
    (context, head, deadline) = (nil, nil, nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.fireErrorCaught(error)
    // Above, Hummingbird closes.
    if !isPassing { context.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isPassing else { return context.fireChannelRead(data) }
    switch unwrapInboundIn(data) {
    case .head(let request):
      head = request
      if !Self.isBodiless(request) { pass(context) }
    case .body, .end:
      pass(context)
      context.fireChannelRead(data)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    // The end comes with the head, except from who sends a body, or nothing at all.
    guard head != nil, deadline == nil else { return }
    deadline = context.eventLoop.deadline(in: patience) { [self] in
      if head != nil { self.context?.close(promise: nil) }
    }
  }

  private static func isBodiless(_ request: HTTPRequest) -> Bool {
    (request.method == .get || request.method == .head) && request.headerFields[.contentLength] == nil
      && request.headerFields[.expect] == nil
  }

  private func pass(_ context: ChannelHandlerContext) {
    guard !isPassing, let head else { return }
    isPassing = true
    self.head = nil
    deadline?.cancel()
    do {
      try install(context.channel)
      context.fireChannelRead(wrapInboundOut(.head(head)))
    } catch {
      context.close(promise: nil)
    }
  }
}
