import Access
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import NIOHTTPTypes
import Records
import Station
import Testing

@testable import Origin

/// What is answered on the event loop of an HTTP/2 connection, and what goes on from there.
@Suite struct QuickStreamTests {
  private let world: QuickWorld

  init() throws { world = try QuickWorld() }

  @Test func aPartIsAnsweredWithoutAChannelOfItsOwn() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/7.1.mp4")
    let answer = try #require(connection.answers[1])
    #expect(answer.status == "200")
    #expect(answer.text == "part-1")
    #expect(answer.isEnded)
    #expect(answer.headers["content-length"] == ["6"])
    #expect(answer.headers["date"].count == 1)
    #expect(connection.passedOn.isEmpty)
    #expect(connection.closedBehind.isEmpty)
    #expect((connection.streams.created, connection.streams.closed) == (1, 1))
  }

  @Test func anAnswerToHEADIsItsHeadAlone() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/7.1.mp4", method: "HEAD")
    let answer = try #require(connection.answers[1])
    #expect(answer.status == "200")
    #expect(answer.headers["content-length"] == ["6"])
    #expect(answer.isEnded && answer.body.readableBytes == 0)
    #expect((connection.streams.created, connection.streams.closed) == (1, 1))
  }

  @Test func anAnswerThatNothingIsNewHasNoLength() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/index.m3u8", [("if-none-match", "*")])
    let answer = try #require(connection.answers[1])
    #expect(answer.status == "304")
    #expect(answer.headers["content-length"].isEmpty)
    #expect(answer.isEnded && answer.body.readableBytes == 0)
  }

  @Test func manyStreamsOfOneConnectionAreAnswered() throws {
    let connection = try world.frames()
    for number in 0..<300 { try connection.ask(HTTP2StreamID(2 * number + 1), "/desk/7.\(number % 2).mp4") }
    #expect(connection.answers.count == 300)
    #expect(connection.answers.allSatisfy { $1.text == "part-\((Int($0) - 1) / 2 % 2)" && $1.isEnded })
    #expect((connection.streams.created, connection.streams.closed) == (300, 300))
  }

  @Test func aBlockingReloadIsAnsweredWithThePart() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    try connection.ask(3, "/desk/7.0.mp4")
    #expect(connection.answers[1] == nil)
    #expect(connection.answers[3]?.text == "part-0", "it waits for no other stream")
    world.publish(parts: 3)
    connection.server.embeddedEventLoop.run()
    try connection.exchange()
    #expect(connection.answers[1]?.status == "200")
    #expect(connection.answers[1]?.text.contains("7.2.mp4") == true)
    #expect(world.camera.edge.waiters == 0)
  }

  @Test func aClientThatResetsItsStreamFreesItsPlace() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    try connection.ask(3, "/desk/7.2.mp4")
    #expect(world.camera.edge.waiters == 2)
    try connection.send(1, .rstStream(.cancel))
    #expect(world.camera.edge.waiters == 1)
    world.publish(parts: 3)
    connection.server.embeddedEventLoop.run()
    try connection.exchange()
    #expect(connection.answers[1]?.status == nil)
    #expect(connection.answers[3]?.text == "part-2")
    #expect(connection.passedOn.isEmpty)
    #expect((connection.streams.created, connection.streams.closed) == (2, 2))
  }

  @Test func aConnectionThatEndsFreesAllItsPlaces() throws {
    let connection = try world.frames()
    for id in [1, 3, 5] { try connection.ask(HTTP2StreamID(id), "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2") }
    #expect(world.camera.edge.waiters == 3)
    try connection.server.close().wait()
    #expect(world.camera.edge.waiters == 0)
    world.publish(parts: 3)
    connection.server.embeddedEventLoop.run()
  }

  @Test func whatFollowsTheEndOfARequestBreaksItsStreamAndFreesItsPlace() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    // A DATA frame of three bytes, which a client by the rules cannot send.
    try connection.server.writeInbound(ByteBuffer(bytes: [0, 0, 3, 0, 0, 0, 0, 0, 1, 1, 2, 3]))
    try connection.exchange()
    #expect(connection.answers[1]?.reset != nil)
    #expect(world.camera.edge.waiters == 0)
    try connection.ask(3, "/desk/7.0.mp4")
    #expect(connection.answers[3]?.text == "part-0", "the others go on")
  }

  @Test(arguments: [
    ("GET", "/", []), ("POST", "/desk/7.0.mp4", []), ("GET", "/hidden/7.0.mp4", []), ("GET", "/desk/7%2E0.mp4", []),
    ("GET", "/desk/7.0.mp4", [("expect", "100-continue")]), ("GET", "/desk/7.0.mp4", [("content-length", "0")]),
    ("GET", "/desk/7.0.mp4", [("range", "bytes=0-1"), ("range", "bytes=2-3")]),
  ])
  func otherRequestsGoOn(method: String, path: String, fields: [(String, String)]) throws {
    let connection = try world.frames()
    try connection.ask(1, path, fields, method: method)
    #expect(connection.answers.isEmpty)
    #expect(connection.passedOn.map(\.streamID) == [1])
    try connection.send(1, .rstStream(.cancel))
    #expect(connection.passedOn.count == 2)
    #expect(connection.closedBehind == [1])
    #expect(connection.streams.created == 0)
  }

  @Test func theBodyAndTheTrailersOfARequestGoOnWithItsHead() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/7.0.mp4", ends: false)
    try connection.ask(3, "/desk/7.0.mp4")
    try connection.send(1, .data(.init(data: .byteBuffer(ByteBuffer(string: "abc")))))
    try connection.send(1, .headers(.init(headers: ["x-sum": "1"], endStream: true)))
    #expect(connection.passedOn.map(\.streamID) == [1, 1, 1])
    #expect(connection.answers.keys.map { Int($0) } == [3])
  }

  @Test func priorityAndWindowsOfAStreamThatWaitsDoNoHarm() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    try connection.send(1, .priority(.init(exclusive: false, dependency: 0, weight: 3)))
    try connection.send(1, .windowUpdate(windowSizeIncrement: 1000))
    #expect(world.camera.edge.waiters == 1)
    world.publish(parts: 3)
    connection.server.embeddedEventLoop.run()
    try connection.exchange()
    #expect(connection.answers[1]?.isEnded == true)
  }

  @Test func aClientThatTakesNothingHasItsStreamReset() throws {
    let connection = try world.frames(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 1000)])
    world.publish(parts: 2, whole: String(repeating: "a", count: 90_000))
    try connection.ask(1, "/desk/7.mp4")
    #expect(connection.answers[1]?.body.readableBytes == 1000)
    connection.server.embeddedEventLoop.advanceTime(by: .seconds(9))
    try connection.exchange()
    #expect(connection.answers[1]?.reset == nil)
    connection.server.embeddedEventLoop.advanceTime(by: .seconds(2))
    try connection.exchange()
    #expect(connection.answers[1]?.reset == .cancel)
    #expect((connection.streams.created, connection.streams.closed) == (1, 1))
    try connection.ask(3, "/desk/7.0.mp4")
    #expect(connection.answers[3]?.text == "part-0")
  }

  @Test func aConnectionWithoutARequestIsEndedWithAWord() throws {
    let connection = try world.frames(rules: .init(idle: .seconds(60), patience: .seconds(10)))
    world.publish(parts: 2)
    let loop = connection.server.embeddedEventLoop
    loop.advanceTime(by: .seconds(59))
    try connection.ask(1, "/desk/7.0.mp4")
    loop.advanceTime(by: .seconds(59))
    #expect(connection.quiesced == 0)
    // Who waits for a part is not idle.
    try connection.ask(3, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    loop.advanceTime(by: .seconds(200))
    #expect(connection.quiesced == 0)
    world.publish(parts: 3)
    loop.run()
    try connection.exchange()
    #expect(connection.answers[3]?.isEnded == true)
    loop.advanceTime(by: .seconds(59))
    #expect(connection.quiesced == 0)
    loop.advanceTime(by: .seconds(1))
    #expect(connection.quiesced == 1)
    loop.advanceTime(by: .hours(1))
    #expect(connection.quiesced == 1)
  }

  @Test func whoNeverAsksIsEndedAlsoIfThereArePings() throws {
    let connection = try world.frames(rules: .init(idle: .seconds(60), patience: .seconds(10)))
    for second in 0..<60 {
      #expect(connection.quiesced == 0, "after \(second) s")
      try connection.send(.rootStream, .ping(HTTP2PingData(withInteger: UInt64(second)), ack: false))
      connection.server.embeddedEventLoop.advanceTime(by: .seconds(1))
    }
    #expect(connection.quiesced == 1)
  }

  @Test func aRequestOfOthersKeepsTheConnectionInUseToo() throws {
    let connection = try world.frames(rules: .init(idle: .seconds(60), patience: .seconds(10)))
    let loop = connection.server.embeddedEventLoop
    try connection.ask(1, "/other")
    #expect(connection.passedOn.count == 1)
    loop.advanceTime(by: .seconds(500))
    #expect(connection.quiesced == 0)
    try connection.send(1, .rstStream(.cancel))
    loop.advanceTime(by: .seconds(59))
    #expect(connection.quiesced == 0)
    loop.advanceTime(by: .seconds(1))
    #expect(connection.quiesced == 1)
  }

  @Test func aClientThatTakesAllInTimeIsLeftAlone() throws {
    let connection = try world.frames(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 1000)])
    world.publish(parts: 2, whole: String(repeating: "a", count: 60_000))
    try connection.ask(1, "/desk/7.mp4")
    for _ in 0..<7 {
      connection.server.embeddedEventLoop.advanceTime(by: .seconds(1))
      try connection.send(1, .windowUpdate(windowSizeIncrement: 8500))
    }
    #expect(connection.answers[1]?.body.readableBytes == 60_000)
    #expect(connection.answers[1]?.isEnded == true)
    connection.server.embeddedEventLoop.advanceTime(by: .seconds(60))
    try connection.exchange()
    #expect(connection.answers[1]?.reset == nil)
  }

  @Test func whatIsSentIsCountedAsByHTTP11() throws {
    let connection = try world.connection()
    try connection.receive(request("/desk/7.0.mp4") + request("/desk/live.m3u8"))
    let before = try #require(world.records.traffic.sent["desk"]?.total)
    let frames = try world.frames()
    try frames.ask(1, "/desk/7.0.mp4")
    try frames.ask(3, "/desk/live.m3u8")
    #expect(world.records.traffic.sent["desk"]?.total == 2 * before)
    #expect(world.limits.answersAtPublic.counted == [0, 4, 0, 0, 0])
  }

  // MARK: Channels of other streams

  @Test func theHandlersOfAStreamComeWithTheEndOfItsRequest() throws {
    var installed = 0
    let stream = try stream { installed += 1 }
    let head = HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/")
    try stream.writeInbound(HTTPRequestPart.head(head))
    #expect(installed == 0)
    try stream.writeInbound(HTTPRequestPart.end(nil))
    #expect(installed == 1)
    guard case .head(head)? = try stream.readInbound(as: HTTPRequestPart.self),
      case .end? = try stream.readInbound(as: HTTPRequestPart.self)
    else {
      Issue.record("the request did not go on")
      return
    }
  }

  @Test func aRequestWithoutAnEndIsNotWaitedForForEver() throws {
    let stream = try stream {}
    try stream.writeInbound(
      HTTPRequestPart.head(HTTPRequest(method: .get, scheme: "https", authority: "a", path: "/desk/7.0.mp4")))
    stream.embeddedEventLoop.advanceTime(by: .seconds(29))
    #expect(stream.isActive)
    stream.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(!stream.isActive)
  }

  private func stream(_ install: @escaping () -> Void) throws -> EmbeddedChannel {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandler(RequestEndHandler(patience: .seconds(30)) { _ in install() })
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 40_000)).wait()
    return channel
  }
}
