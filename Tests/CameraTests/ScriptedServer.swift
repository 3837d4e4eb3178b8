import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP server on a free port of the loopback that answers by a script and keeps what it got.
final class ScriptedServer: Sendable {
  enum Answer: Sendable {
    case status(Int, headers: [String: String] = [:], body: String = "")
    case picture(ByteBuffer, type: String)
    /// Parts of a multipart/x-mixed-replace body, so many milliseconds apart, and then the end of the connection.
    case stream([ByteBuffer], milliseconds: Int64)
    case close
    case silence
  }

  struct Request: Sendable {
    var head: HTTPRequestHead
    var body = ByteBuffer()
    let time = ContinuousClock.now
  }

  private struct State {
    var script: [Answer]
    var requests: [Request] = []
    var connections = 0
  }

  private let state: NIOLockedValueBox<State>
  private let channel: NIOLockedValueBox<(any Channel)?> = NIOLockedValueBox(nil)

  /// Answers by `script`, and by its last line ever after.
  static func start(_ script: [Answer]) async throws -> ScriptedServer {
    let server = ScriptedServer(script)
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
    server.channel.withLockedValue { $0 = channel }
    return server
  }

  private init(_ script: [Answer]) { state = NIOLockedValueBox(State(script: script)) }

  var port: Int { channel.withLockedValue { $0?.localAddress?.port } ?? 0 }
  var url: String { "http://127.0.0.1:\(port)/ingest/desk" }
  var requests: [Request] { state.withLockedValue { $0.requests } }
  var connections: Int { state.withLockedValue { $0.connections } }

  func stop() async throws {
    let channel = channel.withLockedValue { $0 }
    try await channel?.close().get()
  }

  private func answer(_ request: Request) -> Answer {
    state.withLockedValue { state in
      state.requests.append(request)
      return state.script.count > 1 ? state.script.removeFirst() : state.script[0]
    }
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let server: ScriptedServer
    private var request: Request?

    init(server: ScriptedServer) { self.server = server }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head): request = Request(head: head)
      case .body(var part): request?.body.writeBuffer(&part)
      case .end:
        guard let request else { return }
        switch server.answer(request) {
        case .close: context.close(promise: nil)
        case .silence: break
        case .status(let status, let headers, let body):
          write(context, status, HTTPHeaders(headers.map { ($0.key, $0.value) }), ByteBuffer(string: body))
        case .stream(let parts, let pause): stream(context, parts[...], pause)
        case .picture(let picture, let type): write(context, 200, ["Content-Type": type], picture)
        }
      }
    }

    private func stream(_ context: ChannelHandlerContext, _ parts: ArraySlice<ByteBuffer>, _ pause: Int64) {
      let type = "multipart/x-mixed-replace;boundary=edge"
      let head = HTTPResponseHead(version: .http1_0, status: .ok, headers: ["Content-Type": type])
      context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
      let loop = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      for (index, part) in parts.enumerated() {
        context.eventLoop.scheduleTask(in: .milliseconds(Int64(index) * pause)) {
          let (handler, context) = loop.value
          var bytes = ByteBuffer(string: "--edge\r\nContent-Type: image/jpeg\r\n")
          bytes.writeString("Content-Length: \(part.readableBytes)\r\n\r\n")
          bytes.writeImmutableBuffer(part)
          bytes.writeString("\r\n")
          context.writeAndFlush(handler.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        }
      }
      context.eventLoop.scheduleTask(in: .milliseconds(Int64(parts.count) * pause)) {
        loop.value.1.close(promise: nil)
      }
    }

    private func write(_ context: ChannelHandlerContext, _ status: Int, _ headers: HTTPHeaders, _ body: ByteBuffer) {
      var headers = headers
      headers.replaceOrAdd(name: "Content-Length", value: "\(body.readableBytes)")
      let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
