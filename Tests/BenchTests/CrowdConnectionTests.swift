import Media
import NIOCore
import NIOEmbedded
import Testing

@testable import Bench

/// Servers close connections that are idle, and after answers: that is no mistake. In the middle of an answer it is one.
@Suite struct CrowdConnectionTests {
  /// What a connection wrote and whether it asked for another one, on a channel without a network.
  private final class World {
    let channel = EmbeddedChannel()
    let tally: NIOLoopBoundBox<CrowdTally>
    var connection: CrowdConnection?
    var reopened: [CrowdConnection] = []

    init(_ way: CrowdWay, mayReopen: Bool = true, leavesBefore: Bool = false) throws {
      tally = .makeBoxSendingValue(CrowdTally(), eventLoop: channel.eventLoop)
      let connection = CrowdConnection(
        way, host: "cam.example:80", path: "/desk/live.m3u8", tally: tally,
        reopen: mayReopen ? { [unowned self] in reopened.append($0) } : nil)
      self.connection = connection
      try channel.pipeline.syncOperations.addHandler(connection)
      if leavesBefore { connection.leave() }
      try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    /// The target of the next request that was sent.
    func asked() throws -> String? {
      try channel.readOutbound(as: ByteBuffer.self).map { String(String(buffer: $0).split(separator: " ")[1]) }
    }

    func answer(_ fields: String, _ body: String = "") throws {
      try channel.writeInbound(ByteBuffer(string: "HTTP/1.1 \(fields)\r\n\r\n\(body)"))
    }

    /// The server closes the connection.
    func close() throws {
      channel.pipeline.fireChannelInactive()
      channel.embeddedEventLoop.run()
    }
  }

  private let playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n"

  @Test func aConnectionThatEndsWithItsAnswerIsOpenedAgain() throws {
    let world = try World(.plain)
    #expect(try world.asked() == "/desk/live.m3u8")
    try world.answer("200 OK\r\nConnection: close\r\nContent-Length: \(playlist.utf8.count)", playlist)
    #expect(world.reopened.count == 1 && world.tally.value.mistakes.isEmpty && world.tally.value.reopened == 1)
    // The next connection goes on where this one was.
    let next = EmbeddedChannel(handler: CrowdConnection(after: try #require(world.reopened.first)))
    try next.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    let request = try #require(try next.readOutbound(as: ByteBuffer.self))
    #expect(String(buffer: request).hasPrefix("GET /desk/a.ts "))
  }

  @Test func oneThatIsClosedWhileTheViewerWaitsIsOpenedWhenItGoesOn() throws {
    let world = try World(.polling)
    try world.answer("200 OK\r\nContent-Length: 1", "x")
    try world.close()
    #expect(world.reopened.isEmpty && world.tally.value.mistakes.isEmpty)
    world.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(world.reopened.count == 1)
  }

  @Test func oneThatIsClosedWhenTheNextRequestWasSentIsOpenedAgain() throws {
    let world = try World(.plain)
    try world.answer("200 OK\r\nContent-Length: \(playlist.utf8.count)", playlist)
    try world.close()
    #expect(world.reopened.count == 1 && world.tally.value.mistakes.isEmpty)
  }

  @Test func anAnswerThatIsCutIsAMistake() throws {
    let world = try World(.polling)
    try world.answer("200 OK\r\nContent-Length: 5", "x")
    try world.close()
    #expect(world.reopened.isEmpty)
    #expect(world.tally.value.mistakes == ["the server closed a connection": 1])
  }

  @Test func aServerThatClosesWithoutAnyAnswerIsNotAskedForEver() throws {
    let world = try World(.polling)
    try world.close()
    #expect(world.reopened.isEmpty && world.tally.value.mistakes.count == 1)
  }

  @Test func whoHasNoWayToComeBackTellsOfTheEnd() throws {
    let world = try World(.plain, mayReopen: false)
    try world.answer("200 OK\r\nConnection: close\r\nContent-Length: \(playlist.utf8.count)", playlist)
    #expect(world.tally.value.mistakes == ["the server closed a connection with status 200": 1])
  }

  @Test func whoLeavesInTheMiddleOfAnAnswerMakesNoMistake() throws {
    let world = try World(.polling)
    try world.answer("200 OK\r\nContent-Length: 5", "x")
    world.connection?.leave()
    world.channel.embeddedEventLoop.run()
    #expect(world.reopened.isEmpty && world.tally.value.mistakes.isEmpty && world.tally.value.connected == 0)
  }

  @Test func whoLeavesBeforeTheConnectionIsThereAsksForNothing() throws {
    let world = try World(.plain, leavesBefore: true)
    world.channel.embeddedEventLoop.run()
    #expect(try world.asked() == nil)
    #expect(!world.channel.isActive && world.tally.value.mistakes.isEmpty && world.tally.value.connected == 0)
  }
}
