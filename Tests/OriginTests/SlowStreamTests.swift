import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import Testing

@testable import Origin
@testable import Station

/// What a client of HTTP/2 holds who opens many streams and reads slowly or not at all.
@Suite struct SlowStreamTests {
  /// A socket that takes so many bytes, and then nothing until it is emptied.
  private final class NarrowSocket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private let capacity: Int
    private var context: ChannelHandlerContext?
    private var isFull = false
    private var written = 0
    private var unsent = 0
    /// The most bytes that were written since it was emptied.
    private(set) var most = 0

    init(_ capacity: Int) { self.capacity = capacity }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      unsent += unwrapOutboundIn(data).readableBytes
      context.write(data, promise: promise)
      most = max(most, written + unsent)
    }

    func flush(context: ChannelHandlerContext) {
      context.flush()
      (written, unsent) = (written + unsent, 0)
      if !isFull, written > capacity { set(true) }
    }

    func empty() {
      written = 0
      if isFull { set(false) }
    }

    private func set(_ isFull: Bool) {
      self.isFull = isFull
      guard let context, let channel = context.channel as? EmbeddedChannel else { return }
      channel.isWritable = !isFull
      context.fireChannelWritabilityChanged()
    }
  }

  private let world: QuickWorld
  private let patience = TimeAmount.seconds(10)

  init() throws { world = try QuickWorld() }

  /// A client whose windows let all through.
  private func open(_ below: [any ChannelHandler]) throws -> FramesConnection {
    let connection = try world.frames(
      settings: [HTTP2Setting(parameter: .initialWindowSize, value: 1 << 24)], below: below)
    try connection.send(.rootStream, .windowUpdate(windowSizeIncrement: 1 << 30))
    return connection
  }

  /// Asks many times, in one packet.
  private func askAll(_ connection: FramesConnection, _ path: String, _ count: Int = 100, from first: Int = 1) throws {
    for number in 0..<count {
      let head = [(":method", "GET"), (":path", path), (":scheme", "https"), (":authority", "a")]
      let payload = HTTP2Frame.FramePayload.headers(.init(headers: HPACKHeaders(head), endStream: true))
      connection.client.write(
        HTTP2Frame(streamID: HTTP2StreamID(first + 2 * number), payload: payload), promise: nil)
    }
    connection.client.flush()
    try connection.exchange()
  }

  @Test(arguments: [100_000, 300_000])
  func whoAsksForMuchAndReadsNothingHoldsLittle(length: Int) throws {
    let socket = NarrowSocket(64 << 10)
    let connection = try open([socket])
    world.publish(parts: 2, whole: String(repeating: "a", count: length))
    try askAll(connection, "/desk/7.mp4")
    #expect(socket.most < 400_000, "of \(100 * length) that were asked for")
    // All is sent as the client reads.
    for _ in 0..<2000 where connection.answers.values.filter(\.isEnded).count < 100 {
      socket.empty()
      try connection.exchange()
      connection.server.embeddedEventLoop.run()
    }
    #expect(connection.answers.values.filter { $0.isEnded && $0.body.readableBytes == length }.count == 100)
    #expect(socket.most < 400_000)
    #expect((connection.streams.created, connection.streams.closed) == (100, 100))
  }

  @Test func whoReadsNothingIsEnded() throws {
    let socket = NarrowSocket(64 << 10)
    let connection = try open([socket, FrameGuard(patience: patience, now: .uptimeNanoseconds(0))])
    world.publish(parts: 2, whole: String(repeating: "a", count: 100_000))
    try askAll(connection, "/desk/7.mp4")
    connection.server.embeddedEventLoop.advanceTime(by: .milliseconds(9_999))
    #expect(connection.server.isActive)
    connection.server.embeddedEventLoop.advanceTime(by: .milliseconds(1))
    #expect(!connection.server.isActive)
  }

  @Test func whoEndsWhileAllStreamsWaitLeavesNothing() throws {
    let connection = try open([FrameGuard(patience: patience, now: .uptimeNanoseconds(0))])
    try askAll(connection, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    #expect(world.camera.edge.waiters > 0)
    try connection.server.close().wait()
    #expect(world.camera.edge.waiters == 0)
  }

  @Test func whoseWindowsAreClosedHasAllStreamsResetOnce() throws {
    let connection = try world.frames(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 0)])
    try askAll(connection, "/desk/7.0.mp4")
    #expect(connection.answers.count == 100)
    #expect(connection.answers.values.allSatisfy { $0.status == "200" && $0.body.readableBytes == 0 })
    connection.server.embeddedEventLoop.advanceTime(by: .seconds(10))
    try connection.run()
    #expect(connection.answers.values.allSatisfy { $0.reset == .cancel })
    // The same client asks for more, and gets it once its windows are open.
    try askAll(connection, "/desk/7.0.mp4", from: 201)
    try connection.send(201, .windowUpdate(windowSizeIncrement: 100))
    #expect(connection.answers[201]?.text == "part-0")
    #expect((connection.streams.created, connection.streams.closed) == (200, 101))
  }

  @Test func aStreamIsResetOnceHoweverLongTheSocketIsFull() throws {
    let socket = NarrowSocket(0)
    let connection = try world.frames(
      settings: [HTTP2Setting(parameter: .initialWindowSize, value: 0)], below: [socket])
    socket.empty()
    try askAll(connection, "/desk/7.0.mp4")
    for _ in 0..<10 { connection.server.embeddedEventLoop.advanceTime(by: .seconds(10)) }
    #expect((connection.streams.created, connection.streams.closed) == (100, 0))
    for _ in 0..<1000 where connection.streams.closed < 100 {
      socket.empty()
      try connection.run()
    }
    #expect((connection.streams.created, connection.streams.closed) == (100, 100))
    #expect(connection.answers.values.allSatisfy { $0.reset == .cancel })
    #expect(connection.goAways.isEmpty)
  }

  @Test func aReaderThatIsSlowHoldsUpNoOther() throws {
    let (slow, quick) = (try open([NarrowSocket(0)]), try open([]))
    try askAll(slow, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2", 3)
    try quick.ask(1, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    world.publish(parts: 3)
    try quick.run()
    #expect(quick.answers[1]?.text.contains("7.2.mp4") == true)
  }
}
