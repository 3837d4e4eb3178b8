import Access
import HTTPTypes
import Logging
import Media
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Packager
import Playlist
import Records
import TestSupport
import Testing

@testable import Origin
@testable import Station

/// What is answered on the event loop, what goes on to Hummingbird's handlers, and the order of both.
@Suite struct QuickHandlerTests {
  private let world: World

  init() throws { world = try World() }

  @Test func aPartIsAnsweredWithoutTheHandlersAbove() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/7.0.mp4"))
    let sent = try connection.sent()
    #expect(sent.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(sent.contains("\r\nCache-Control: public, max-age=31536000, immutable\r\n"))
    #expect(sent.contains("\r\nContent-Length: 6\r\n"))
    #expect(sent.hasSuffix("GMT\r\n\r\npart-0"))
    #expect(try connection.parts().isEmpty)
    #expect(world.installed == 0)
  }

  @Test func sixRequestsInOneReadAreAnsweredInOrder() throws {
    let connection = try world.connection()
    try connection.receive(String(repeating: request("/desk/7.0.mp4") + request("/desk/7.1.mp4"), count: 3))
    let bodies = try connection.sent().components(between: "\r\n\r\n", and: "HTTP/1.1")
    #expect(bodies == ["part-0", "part-1", "part-0", "part-1", "part-0", "part-1"])
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /desk/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /desk/7.0.mp4 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "GET /desk/7.0.mp4 HTTP/1.0\r\nHost: a\r\n\r\n", "GET /desk/7.0.mp4 HTTP/1.1\r\n\r\n",
    "GET /desk/7.0.mp4 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /desk/7%2E0.mp4 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://a/desk/7.0.mp4 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /desk/7.0.mp4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET /desk/7.0.mp4 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
    "GET /desk/7.0.mp4 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /desk/7.0.mp4 HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n",
    "GET /hidden/7.0.mp4 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /other/7.0.mp4 HTTP/1.1\r\nHost: a\r\n\r\n",
  ])
  func allElseGoesOnInTheVeryBytesThatCame(text: String) throws {
    let connection = try world.connection(withParser: false)
    try connection.receive(text)
    #expect(try connection.sent().isEmpty)
    #expect(world.installed == 1)
    #expect(try connection.channel.readInbound(as: ByteBuffer.self).map { String(buffer: $0) } == text)
  }

  @Test func aHeadThatComesInPiecesGoesOn() throws {
    let connection = try world.connection()
    try connection.receive("GET /desk/7.0.mp4 HT")
    try connection.receive("TP/1.1\r\nHost: a\r\n\r\n")
    #expect(try connection.parts().count == 2)
    #expect(try connection.sent().isEmpty)
  }

  @Test func whatFollowsARequestThatIsAboveWaitsForItsAnswer() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/") + request("/desk/7.0.mp4"))
    #expect(try connection.parts().count == 4, "both are above")
    #expect(try connection.sent().isEmpty)
  }

  @Test func afterAnAnswerFromAboveRequestsAreAnsweredQuicklyAgain() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/"))
    #expect(try connection.parts().count == 2)
    try connection.channel.writeOutbound(HTTPResponsePart.head(.init(status: .noContent)))
    try connection.channel.writeOutbound(HTTPResponsePart.end(nil))
    #expect(try connection.sent().hasPrefix("HTTP/1.1 204"))
    try connection.receive(request("/desk/7.1.mp4"))
    #expect(try connection.sent().hasSuffix("part-1"))
    #expect(try connection.parts().isEmpty)
  }

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

  @Test func aConnectionWithoutRequestsIsClosed() throws {
    let connection = try world.connection()
    connection.advance(.seconds(70))
    #expect(!connection.isOpen)
  }

  @Test func whatIsWithdrawnIsAnsweredNoLonger() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/7.0.mp4"))
    #expect(try connection.sent().hasSuffix("part-0"))
    world.publish(parts: 3, without: ["7.0.mp4"])
    try connection.receive(request("/desk/7.0.mp4"))
    #expect(try connection.sent().hasPrefix("HTTP/1.1 404 "))
  }

  @Test func bytesAndAnswersAreCounted() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/7.0.mp4") + request("/desk/live.m3u8"))
    let sent = try connection.sent().utf8.count
    #expect(world.records.traffic.sent["desk"]?.total == Int64(sent))
    #expect(world.limits.answersAtPublic.counted == [0, 2, 0, 0, 0])
  }

  // MARK: HTTP/2

  @Test func aRequestByHTTP2IsAnsweredWithoutTheHandlersAbove() throws {
    let stream = try world.stream()
    try ask(stream, .get, "/desk/7.1.mp4")
    let (status, body) = try answer(stream)
    #expect(status == .ok)
    #expect(body == "part-1")
    #expect(world.installed == 0)
  }

  @Test func aBlockingReloadByHTTP2IsAnsweredWithThePart() throws {
    let stream = try world.stream()
    try ask(stream, .get, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    #expect(try answer(stream).status == nil)
    world.publish(parts: 3)
    stream.embeddedEventLoop.run()
    let (status, body) = try answer(stream)
    #expect(status == .ok)
    #expect(body.contains("7.2.mp4"))
  }

  @Test(arguments: [(HTTPRequest.Method.get, "/"), (.post, "/desk/7.0.mp4"), (.get, "/hidden/7.0.mp4")])
  func otherRequestsByHTTP2GoOn(method: HTTPRequest.Method, path: String) throws {
    let stream = try world.stream()
    try ask(stream, method, path)
    #expect(world.installed == 1)
    #expect(try answer(stream).status == nil)
    guard case .head(let head)? = try stream.readInbound(as: HTTPRequestPart.self) else {
      Issue.record("no head went on")
      return
    }
    #expect(head.path == path)
    guard case .end? = try stream.readInbound(as: HTTPRequestPart.self) else {
      Issue.record("no end went on")
      return
    }
  }

  @Test func aConnectionOnWhichTheNextRequestCannotBeFoundIsClosedWhenItIsIdle() throws {
    let connection = try world.connection()
    try connection.receive("GET /desk/ HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n")
    #expect(try connection.parts().count == 2)
    connection.advance(.seconds(90))
    #expect(connection.isOpen, "it waits for its answer")
    try connection.channel.writeOutbound(HTTPResponsePart.head(.init(status: .noContent)))
    try connection.channel.writeOutbound(HTTPResponsePart.end(nil))
    #expect(try connection.sent().hasPrefix("HTTP/1.1 204"))
    connection.advance(.seconds(59))
    #expect(connection.isOpen)
    connection.advance(.seconds(61))
    #expect(!connection.isOpen)
  }

  @Test func aRequestByHTTP2WithoutAnEndIsNotWaitedForForEver() throws {
    let stream = try world.stream()
    try stream.writeInbound(
      HTTPRequestPart.head(HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/desk/7.0.mp4")))
    stream.embeddedEventLoop.advanceTime(by: .seconds(29))
    #expect(stream.isActive)
    stream.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(!stream.isActive)
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

  private func ask(_ stream: EmbeddedChannel, _ method: HTTPRequest.Method, _ path: String) throws {
    try stream.writeInbound(
      HTTPRequestPart.head(HTTPRequest(method: method, scheme: "https", authority: "a", path: path)))
    try stream.writeInbound(HTTPRequestPart.end(nil))
  }

  private func answer(_ stream: EmbeddedChannel) throws -> (status: HTTPResponse.Status?, body: String) {
    var (status, body): (HTTPResponse.Status?, String) = (nil, "")
    while let part = try stream.readOutbound(as: HTTPResponsePart.self) {
      switch part {
      case .head(let head): status = head.status
      case .body(let bytes): body += String(buffer: bytes)
      case .end: break
      }
    }
    return (status, body)
  }

  private func request(_ target: String) -> String { "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n" }
}

/// A camera with two parts published, and the quick way to it.
private final class World {
  let camera: Camera
  let limits = AccessLimits(
    viewers: Connections.Limits(total: 100), cameras: Connections.Limits(total: 10),
    uploads: UploadMemory(limit: 1 << 20, cameras: 1))
  let records: Records
  private(set) var installed = 0
  private let door: QuickDoor

  init() throws {
    let settings = try CameraSettings.sample()
    camera = Camera(settings: settings, clock: .system())
    var hidden = CameraSettings(name: try #require(CameraName("hidden")), timeline: settings.timeline)
    hidden.picture = settings.picture
    var closed = DoorSettings(tokens: [])
    closed.access = .signed
    records = Records(
      folder: nil, readings: { [] }, wall: { .now },
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    door = QuickDoor(
      cameras: [camera, Camera(settings: hidden, clock: .system())],
      doors: [settings.name: DoorSettings(tokens: []), hidden.name: closed], site: SitePolicy(), limits: limits,
      records: records, proxies: .none)
    publish(parts: 2)
  }

  /// - Parameter whole: the segment, where it is complete; then the next one is hinted.
  func publish(parts count: Int, without removed: [String] = [], whole: String? = nil) {
    let name = SegmentName(number: 7)
    let hinted = PartPosition(sequence: whole == nil ? 7 : 8, part: whole == nil ? count : 0)
    let parts = (0..<count).map { MediaPlaylist.Part(uri: name.part($0), duration: .seconds(1), independent: true) }
    let media = MediaPlaylist(targetDuration: 4, mediaSequence: 7, trailingParts: parts)
    let snapshot = PlaylistSnapshot(
      position: PartPosition(sequence: 7, part: whole == nil ? count - 1 : count), hinted: hinted,
      hintedName: SegmentName(number: hinted.sequence).part(hinted.part), media: media, delta: nil,
      multivariant: EncodedText(ByteBuffer(string: "#EXTM3U\n"), etag: "m"))
    var files = (0..<count).map { (name: name.part($0), bytes: ByteBuffer(string: "part-\($0)")) }
    if let whole { files.append((name.file, ByteBuffer(string: whole))) }
    camera.edge.publish(snapshot, adding: files.filter { !removed.contains($0.name) }, removing: removed)
  }

  /// The channel of a request by HTTP/2.
  func stream() throws -> EmbeddedChannel {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandler(
      QuickStreamHandler(door: { [door] in door }) { [self] _ in installed += 1 })
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 40_000)).wait()
    return channel
  }

  /// A connection with the quick handler, and behind it an HTTP parser as it is at the public door.
  ///
  /// - Parameter below: handlers between it and the socket.
  func connection(withParser: Bool = true, below: [any ChannelHandler] = []) throws -> Connection {
    let handler = QuickHandler(
      door: { [door] in door }, isSecure: false, rules: .init(idle: .seconds(60), patience: .seconds(10))
    ) { [self] channel in
      installed += 1
      return channel.eventLoop.makeCompletedFuture {
        guard withParser else { return }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false, withErrorHandling: false)
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
        try pipeline.addHandler(
          ConnectionRulesInstaller(
            headerTime: .seconds(15), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
          ) { _, _ in })
      }
    }
    let connection = try Connection(below + [handler])
    try connection.begin()
    return connection
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

extension String {
  /// The pieces behind each `start` and before the next `end`.
  fileprivate func components(between start: String, and end: String) -> [String] {
    var (pieces, rest) = ([String](), self[...])
    while let begin = rest.firstRange(of: start)?.upperBound {
      let next = rest[begin...].firstRange(of: end)?.lowerBound ?? rest.endIndex
      pieces.append(String(rest[begin..<next]))
      rest = rest[next...]
    }
    return pieces
  }
}
