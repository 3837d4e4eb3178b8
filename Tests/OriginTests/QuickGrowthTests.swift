import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import Records
import Testing

@testable import Origin
@testable import Station

/// What is sent over HTTP/2 piece by piece: segments that are being made, and long ones.
@Suite struct QuickGrowthTests {
  private let world: QuickWorld

  init() throws { world = try QuickWorld() }

  // MARK: Segments that are being made

  @Test func aSegmentThatIsMadeIsSentAsItGrows() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/7.mp4")
    try connection.run()
    let begun = try #require(connection.answers[1])
    #expect(begun.status == "200" && begun.text == "part-0part-1" && !begun.isEnded)
    #expect(begun.headers["content-length"].isEmpty && begun.headers["transfer-encoding"].isEmpty)
    #expect(begun.headers["content-type"] == ["video/mp4"] && begun.headers["date"].count == 1)
    #expect(world.camera.edge.waiters == 1)
    world.publish(parts: 3)
    try connection.run()
    #expect(connection.answers[1]?.text == "part-0part-1part-2")
    world.publish(parts: 3, whole: "part-0part-1part-2part-3")
    try connection.run()
    #expect(connection.answers[1]?.text == "part-0part-1part-2part-3")
    #expect(connection.answers[1]?.isEnded == true)
    #expect(world.camera.edge.waiters == 0)
    #expect((connection.streams.created, connection.streams.closed) == (1, 1))
    #expect(connection.passedOn.isEmpty)
  }

  @Test func aSegmentThatEndsWithWhatWasReadEndsTheStream() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/7.mp4")
    try connection.run()
    world.publish(parts: 2, whole: "part-0part-1")
    try connection.run()
    #expect(connection.answers[1]?.text == "part-0part-1")
    #expect(connection.answers[1]?.isEnded == true)
  }

  @Test func otherStreamsAreAnsweredMeanwhile() throws {
    let connection = try world.frames()
    for id in [1, 3, 5] { try connection.ask(HTTP2StreamID(id), "/desk/7.mp4") }
    try connection.ask(7, "/desk/7.0.mp4")
    #expect(connection.answers[7]?.text == "part-0" && connection.answers[7]?.isEnded == true)
    try connection.run()
    world.publish(parts: 2, whole: "part-0part-1last")
    try connection.run()
    #expect([1, 3, 5].allSatisfy { connection.answers[HTTP2StreamID($0)]?.text == "part-0part-1last" })
  }

  @Test func aSegmentThatIsWithdrawnHasItsStreamReset() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/7.mp4")
    try connection.run()
    world.camera.edge.expire(at: .now + .seconds(3600))
    try connection.run()
    #expect(connection.answers[1]?.reset == .cancel)
    #expect(connection.answers[1]?.isEnded == false)
    #expect((connection.streams.created, connection.streams.closed) == (1, 1))
    try connection.ask(3, "/desk/7.0.mp4")
    #expect(connection.answers[3]?.text == "part-0", "the others go on")
  }

  @Test func aSegmentOfWhichNothingComesIsAnsweredWithAnError() throws {
    let connection = try world.frames()
    world.publish(parts: 2, whole: "part-0part-1")
    try connection.ask(1, "/desk/8.mp4")
    #expect(world.camera.edge.waiters == 1)
    world.camera.edge.expire(at: .now + .seconds(3600))
    try connection.run()
    let answer = try #require(connection.answers[1])
    #expect(answer.status == "503" && answer.isEnded && answer.reset == nil)
  }

  @Test func whoResetsTheStreamFreesThePlace() throws {
    let connection = try world.frames()
    try connection.ask(1, "/desk/7.mp4")
    try connection.run()
    #expect(world.camera.edge.waiters == 1)
    try connection.send(1, .rstStream(.cancel))
    #expect(world.camera.edge.waiters == 0)
    world.publish(parts: 3)
    try connection.run()
    #expect(connection.answers[1]?.text == "part-0part-1")
    #expect((connection.streams.created, connection.streams.closed) == (1, 1))
  }

  @Test func theNextPartIsNotHandedOverBeforeTheLastWasTaken() throws {
    let connection = try world.frames(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 7)])
    try connection.ask(1, "/desk/7.mp4")
    try connection.run()
    #expect(connection.answers[1]?.text == "part-0p")
    #expect(world.camera.edge.waiters == 0, "it waits for its client")
    world.publish(parts: 3)
    try connection.run()
    try connection.send(1, .windowUpdate(windowSizeIncrement: 100))
    try connection.run()
    #expect(connection.answers[1]?.text == "part-0part-1part-2")
    #expect(world.camera.edge.waiters == 1)
  }

  @Test func whoTakesNothingOfASegmentHasTheirStreamReset() throws {
    let connection = try world.frames(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 0)])
    try connection.ask(1, "/desk/7.mp4")
    try connection.run()
    connection.server.embeddedEventLoop.advanceTime(by: .seconds(10))
    try connection.run()
    #expect(connection.answers[1]?.reset == .cancel)
    #expect(connection.answers[1]?.body.readableBytes == 0)
    #expect((connection.streams.created, connection.streams.closed) == (1, 1))
  }

  @Test func whatIsSentOfASegmentIsCountedAsByHTTP11() throws {
    let connection = try world.connection()
    let frames = try world.frames()
    try connection.receive(request("/desk/7.mp4"))
    world.publish(parts: 2, whole: "part-0part-1last")
    connection.channel.embeddedEventLoop.run()
    let before = try #require(world.records.traffic.sent["desk"]?.total)
    world.publish(parts: 2, without: ["7.mp4"])
    try frames.ask(1, "/desk/7.mp4")
    try frames.run()
    world.publish(parts: 2, whole: "part-0part-1last")
    try frames.run()
    #expect(frames.answers[1]?.text == "part-0part-1last")
    #expect(world.records.traffic.sent["desk"]?.total == 2 * before)
  }

  // MARK: Long answers

  @Test(arguments: [131_072, 131_073, 400_000, 1 << 20])
  func aLongAnswerIsSentPieceByPiece(length: Int) throws {
    let connection = try world.frames(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 1 << 24)])
    try connection.send(.rootStream, .windowUpdate(windowSizeIncrement: 1 << 24))
    let text = String(String(repeating: "abcdefghijklm", count: length / 13 + 1).prefix(length))
    world.publish(parts: 2, whole: text)
    try connection.ask(1, "/desk/7.mp4")
    try connection.run()
    let answer = try #require(connection.answers[1])
    #expect(answer.text == text && answer.isEnded)
    #expect(answer.headers["content-length"] == ["\(length)"])
    #expect(connection.passedOn.isEmpty)
    #expect((connection.streams.created, connection.streams.closed) == (1, 1))
  }

  @Test func aLongAnswerToASlowReaderGoesOnAsLongAsItTakesPieces() throws {
    let connection = try world.frames(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 0)])
    try connection.send(.rootStream, .windowUpdate(windowSizeIncrement: 1 << 24))
    world.publish(parts: 2, whole: String(repeating: "a", count: 600_000))
    try connection.ask(1, "/desk/7.mp4")
    for _ in 0..<5 {
      connection.server.embeddedEventLoop.advanceTime(by: .seconds(8))
      try connection.send(1, .windowUpdate(windowSizeIncrement: 140_000))
      try connection.run()
    }
    #expect(connection.answers[1]?.body.readableBytes == 600_000)
    #expect(connection.answers[1]?.isEnded == true && connection.answers[1]?.reset == nil)
  }

  @Test func aLongAnswerOfWhichNothingIsTakenAnyMoreIsReset() throws {
    let connection = try world.frames(settings: [HTTP2Setting(parameter: .initialWindowSize, value: 200_000)])
    try connection.send(.rootStream, .windowUpdate(windowSizeIncrement: 1 << 24))
    world.publish(parts: 2, whole: String(repeating: "a", count: 600_000))
    try connection.ask(1, "/desk/7.mp4")
    try connection.run()
    #expect(connection.answers[1]?.body.readableBytes == 200_000)
    connection.server.embeddedEventLoop.advanceTime(by: .seconds(10))
    try connection.run()
    #expect(connection.answers[1]?.reset == .cancel)
  }
}
