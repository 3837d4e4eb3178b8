import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL

/// One connection to a camera, from which bytes are taken only when they are asked for.
final class CameraConnection: Sendable {
  private let channel: any Channel
  private let puller: NIOLoopBound<PullHandler>

  /// Connects, by TLS where there is a context for it.
  ///
  /// - Parameter isStopped: asked once the connection is there to be closed: whether nobody wants it any more.
  static func open(
    host: String, port: Int, tls: NIOSSLContext?, adopt: @escaping @Sendable (any Channel) -> Bool
  ) async throws -> CameraConnection {
    let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(.seconds(5))
      .channelOption(.autoRead, value: false)
      .channelOption(.socketOption(.so_keepalive), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard adopt(channel) else { throw CancellationError() }
          if let tls {
            // An address of numbers is no server name (RFC 6066, section 3).
            let isNumber = (try? SocketAddress(ipAddress: host, port: port)) != nil
            try channel.pipeline.syncOperations.addHandler(
              NIOSSLClientHandler(context: tls, serverHostname: isNumber ? nil : host))
          }
          try channel.pipeline.syncOperations.addHandler(PullHandler())
        }
      }
    let channel = try await bootstrap.connect(host: host, port: port).get()
    return try await channel.eventLoop.submit {
      let handler = try channel.pipeline.syncOperations.handler(type: PullHandler.self)
      return CameraConnection(channel, NIOLoopBound(handler, eventLoop: channel.eventLoop))
    }.get()
  }

  private init(_ channel: any Channel, _ puller: NIOLoopBound<PullHandler>) {
    (self.channel, self.puller) = (channel, puller)
  }

  deinit { close() }

  /// Sends bytes; whether they arrive is seen by the answer.
  func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

  /// The next bytes; `nil` when the camera has closed the connection.
  func read(within patience: Ticks) async throws -> ByteBuffer? {
    let puller = puller
    return try await channel.eventLoop.flatSubmit { puller.value.next(within: patience) }.get()
  }

  /// Ends the connection; a read under way ends too.
  func close() { channel.close(promise: nil) }
}

/// Holds back what comes until somebody asks for it.
private final class PullHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private var context: ChannelHandlerContext?
  private var bytes = ByteBuffer()
  private var waiter: EventLoopPromise<ByteBuffer?>?
  private var timer: Scheduled<Void>?
  private var trouble: (any Error)?
  private var isOver = false

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
    finish()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var piece = unwrapInboundIn(data)
    bytes.writeBuffer(&piece)
  }

  func channelReadComplete(context: ChannelHandlerContext) { answer(context.eventLoop) }

  func channelInactive(context: ChannelHandlerContext) { finish() }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if trouble == nil { trouble = error }
    context.close(promise: nil)
    finish()
  }

  /// Asks for the next bytes; one asks at a time.
  func next(within patience: Ticks) -> EventLoopFuture<ByteBuffer?> {
    guard let context else { return MultiThreadedEventLoopGroup.singleton.any().makeSucceededFuture(nil) }
    let promise = context.eventLoop.makePromise(of: ByteBuffer?.self)
    waiter = promise
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: .milliseconds(patience.milliseconds)) {
      bound.value.fail(CameraTrouble.passing("nothing came within \(patience.secondsText) s"))
    }
    answer(context.eventLoop)
    return promise.futureResult
  }

  private func answer(_ loop: any EventLoop) {
    guard waiter != nil else { return }
    if bytes.readableBytes > 0 {
      let piece = bytes
      bytes = ByteBuffer()
      take()?.succeed(piece)
    } else if isOver {
      if let trouble { take()?.fail(trouble) } else { take()?.succeed(nil) }
    } else {
      context?.read()
    }
  }

  private func finish() {
    isOver = true
    guard waiter != nil else { return }
    if bytes.readableBytes > 0, trouble == nil {
      let piece = bytes
      bytes = ByteBuffer()
      take()?.succeed(piece)
    } else if let trouble {
      take()?.fail(trouble)
    } else {
      take()?.succeed(nil)
    }
  }

  private func fail(_ error: any Error) { take()?.fail(error) }

  private func take() -> EventLoopPromise<ByteBuffer?>? {
    timer?.cancel()
    defer { waiter = nil }
    return waiter
  }
}
