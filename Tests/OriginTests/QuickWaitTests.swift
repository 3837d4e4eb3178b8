import Media
import NIOCore
import NIOEmbedded
import Testing

@testable import Origin
@testable import Station

/// Answers of the event loop that wait for what is being made, and how they end.
@Suite struct QuickWaitTests {
  private let world: QuickWorld

  init() throws { world = try QuickWorld() }

  @Test func aBlockingReloadIsAnsweredWithThePart() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/live.m3u8?_HLS_msn=7&_HLS_part=2") + request("/desk/7.0.mp4"))
    #expect(try connection.sent().isEmpty, "what follows waits too")
    #expect(world.camera.edge.waiters == 1)
    world.publish(parts: 3)
    connection.channel.embeddedEventLoop.run()
    let sent = try connection.sent()
    #expect(sent.contains("7.2.mp4"))
    #expect(sent.hasSuffix("part-0"))
    #expect(world.camera.edge.waiters == 0)
    #expect(world.camera.edge.fanOut.counted.count == 1)
  }

  @Test func aHintedPartIsAnsweredWhenItIsThere() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/7.2.mp4"))
    #expect(try connection.sent().isEmpty)
    world.publish(parts: 3)
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.sent().hasSuffix("part-2"))
  }

  @Test func aSegmentThatIsMadeIsSentAsItGrows() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/7.mp4") + request("/desk/7.0.mp4"))
    let begin = try connection.sent()
    #expect(begin.hasSuffix("\r\ntransfer-encoding: chunked\r\n\r\nc\r\npart-0part-1\r\n"))
    world.publish(parts: 3)
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.sent() == "6\r\npart-2\r\n")
    world.publish(parts: 3, whole: "part-0part-1part-2part-3")
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.sent().hasPrefix("6\r\npart-3\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"))
    #expect(connection.isOpen)
    #expect(world.camera.edge.waiters == 0)
  }

  @Test func aSegmentThatDoesNotGrowIsCutOff() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/7.mp4"))
    #expect(try connection.sent().hasSuffix("part-0part-1\r\n"))
    world.camera.edge.expire(at: .now + .seconds(3600))
    connection.channel.embeddedEventLoop.run()
    #expect(try !connection.sent().contains("0\r\n\r\n"))
    #expect(!connection.isOpen)
  }

  @Test func aWaitEndsWithItsTime() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/live.m3u8?_HLS_msn=7&_HLS_part=2"))
    world.camera.edge.expire(at: .now + .seconds(3600))
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.sent().hasPrefix("HTTP/1.1 503 "))
    #expect(connection.isOpen)
  }

  @Test func aViewerWhoGoesWaitsNoLonger() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/live.m3u8?_HLS_msn=7&_HLS_part=2"))
    #expect(world.camera.edge.waiters == 1)
    try connection.channel.close().wait()
    #expect(world.camera.edge.waiters == 0)
    world.publish(parts: 3)
    connection.channel.embeddedEventLoop.run()
  }

  @Test func whoClosesTheirEndAndHasToWaitIsClosedSoon() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/live.m3u8?_HLS_msn=7&_HLS_part=2"))
    connection.inputCloses()
    connection.advance(.milliseconds(499))
    #expect(connection.isOpen)
    connection.advance(.milliseconds(2))
    #expect(!connection.isOpen)
  }

  @Test func whoClosesTheirEndGetsWhatWasAskedFor() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/live.m3u8?_HLS_msn=7&_HLS_part=2"))
    connection.inputCloses()
    world.publish(parts: 3)
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.sent().contains("7.2.mp4"))
    #expect(!connection.isOpen)
  }

  @Test func theEndOfTheProcessWaitsForAnAnswerThatIsOwed() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/live.m3u8?_HLS_msn=7&_HLS_part=2"))
    connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    #expect(connection.isOpen)
    world.publish(parts: 3)
    connection.channel.embeddedEventLoop.run()
    #expect(try connection.sent().contains("7.2.mp4"))
    #expect(!connection.isOpen)
  }

  @Test func aRequestIsAnsweredOnceIfItsSegmentEndsWhileItIsSent() throws {
    let socket = FullSocket()
    let connection = try world.connection(below: [socket])
    // The socket is full until the flush, and in that moment the segment becomes whole.
    socket.onFlush = { [world] in world.publish(parts: 2, whole: "part-0part-1") }
    try connection.receive(request("/desk/7.mp4") + request("/desk/7.1.mp4"))
    let sent = try connection.sent()
    #expect(sent.ranges(of: "HTTP/1.1 200 OK").count == 2, "\(sent)")
    #expect(sent.contains("\r\n0\r\n\r\nHTTP/1.1 200 OK"))
    #expect(sent.hasSuffix("part-1"))
  }
}

/// A socket that takes nothing more from the first write on until that is flushed; from then on it takes everything.
private final class FullSocket: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer

  /// Called with the first flush after a write, before the socket takes more.
  var onFlush: (() -> Void)?

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    context.write(data, promise: promise)
    if onFlush != nil { set(false, context) }
  }

  func flush(context: ChannelHandlerContext) {
    context.flush()
    guard let onFlush, !context.channel.isWritable else { return }
    self.onFlush = nil
    onFlush()
    set(true, context)
  }

  private func set(_ isWritable: Bool, _ context: ChannelHandlerContext) {
    guard let channel = context.channel as? EmbeddedChannel, channel.isWritable != isWritable else { return }
    channel.isWritable = isWritable
    context.fireChannelWritabilityChanged()
  }
}
