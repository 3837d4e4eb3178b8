import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP/1 server on a free port of the loopback that keeps what it was asked and answers as a test says.
package final class TestServer: Sendable {
  /// One request, complete.
  package struct Request: Sendable {
    package var head: HTTPRequestHead
    package var body = ByteBuffer()
    /// When its last byte came.
    package var time = ContinuousClock.now
  }

  /// What is done for an answer, one after the other.
  package enum Step: Sendable {
    case head(HTTPResponseHead)
    case body(ByteBuffer)
    case end
    /// The end of the connection, wherever the answer stands.
    case close
    case wait(TimeAmount)
    /// What follows is decided when it is due.
    case then(@Sendable () -> [Step])
  }

  private struct State {
    var requests: [Request] = []
    var connections = 0
    var channel: (any Channel)?
  }

  private let state = NIOLockedValueBox(State())
  private let answer: @Sendable (Request) -> [Step]

  /// A server that answers each request with these steps.
  package static func start(answer: @escaping @Sendable (Request) -> [Step]) async throws -> TestServer {
    let server = TestServer(answer)
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        server.state.withLockedValue { $0.connections += 1 }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Handler(server: server))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    server.state.withLockedValue { $0.channel = channel }
    return server
  }

  private init(_ answer: @escaping @Sendable (Request) -> [Step]) { self.answer = answer }

  /// Its port.
  package var port: Int { state.withLockedValue { $0.channel?.localAddress?.port } ?? 0 }
  /// The requests so far, in the order in which they were complete.
  package var requests: [Request] { state.withLockedValue { $0.requests } }
  /// How many connections it has taken.
  package var connections: Int { state.withLockedValue { $0.connections } }

  /// Takes no more connections.
  package func stop() async throws {
    let channel = state.withLockedValue { $0.channel }
    try await channel?.close().get()
  }

  /// The steps of an answer with a length.
  package static func whole(_ status: Int, _ headers: HTTPHeaders = [:], _ body: ByteBuffer = ByteBuffer()) -> [Step] {
    var headers = headers
    headers.replaceOrAdd(name: "Content-Length", value: "\(body.readableBytes)")
    let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
    return [.head(head), .body(body), .end]
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: TestServer
    private var request: Request?

    init(server: TestServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): request = Request(head: head)
      case .body(var part): request?.body.writeBuffer(&part)
      case .end:
        guard var request else { return }
        request.time = .now
        server.state.withLockedValue { [request] in $0.requests.append(request) }
        run(server.answer(request)[...], context)
      }
    }

    private func run(_ steps: ArraySlice<Step>, _ context: ChannelHandlerContext) {
      guard context.channel.isActive, let step = steps.first else { return context.flush() }
      let rest = steps.dropFirst()
      switch step {
      case .head(let head): context.write(wrapOutboundOut(.head(head)), promise: nil)
      case .body(let bytes): context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
      case .end: context.write(wrapOutboundOut(.end(nil)), promise: nil)
      case .close:
        context.flush()
        return context.close(promise: nil)
      case .then(let steps): return run((steps() + rest)[...], context)
      case .wait(let time):
        context.flush()
        let loop = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: time) { loop.value.0.run(rest, loop.value.1) }
        return
      }
      run(rest, context)
    }
  }
}
