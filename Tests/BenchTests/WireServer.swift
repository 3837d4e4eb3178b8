import NIOCore
import NIOPosix

/// A server that knows no HTTP: for each request, which must come in one piece, it sends the next bytes it was given and
/// keeps count.
final class WireServer {
  let channel: any Channel
  let received: WireServerLog

  init(answers: [String]) async throws {
    let log = WireServerLog()
    received = log
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Answering(answers: answers, log: log))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
  }

  var port: Int { channel.localAddress?.port ?? 0 }

  func close() async throws { try await channel.close() }

  private final class Answering: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var answers: [String]
    private let log: WireServerLog
    private var request = ""

    init(answers: [String], log: WireServerLog) { (self.answers, self.log) = (answers, log) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      request += String(buffer: unwrapInboundIn(data))
      guard request.hasSuffix("\r\n\r\n"), !answers.isEmpty else { return }
      log.add(request)
      request = ""
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answers.removeFirst())), promise: nil)
    }
  }
}
