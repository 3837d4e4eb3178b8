import Access
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Records
import TestSupport
import Testing

@testable import Origin

/// What is answered on the event loop, what goes on to Hummingbird's handlers, and the order of both.
@Suite struct QuickHandlerTests {
  private let world: QuickWorld

  init() throws { world = try QuickWorld() }

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
