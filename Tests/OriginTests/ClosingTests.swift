import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Origin

/// How a connection ends whose client is still sending, and what tells a body that was longer than its length.
struct ClosingTests {
  // MARK: The answer reaches who is still sending

  private func lingering() throws -> Connection {
    let connection = try Connection([LingeringCloseHandler()])
    try connection.begin()
    return connection
  }

  private func begin(_ connection: Connection) throws {
    try connection.channel.triggerUserOutboundEvent(LingeringCloseHandler.Begin()).wait()
  }

  @Test func whatComesAfterTheLastAnswerIsDropped() throws {
    let connection = try lingering()
    let body = HTTPRequestPart.body(ByteBuffer(string: "abc"))
    try connection.channel.writeInbound(body)
    #expect(try connection.parts() == [body])
    try begin(connection)
    #expect(connection.hasClosedOutput && connection.isOpen)
    try connection.channel.writeInbound(body)
    try connection.channel.writeInbound(
      HTTPRequestPart.head(HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/smuggled")))
    #expect(try connection.parts().isEmpty && connection.isOpen)
    connection.advance(.milliseconds(1_999))
    #expect(connection.isOpen)
    connection.advance(.milliseconds(1))
    #expect(!connection.isOpen)
  }

  @Test func whoSendsWithoutEndIsCutOff() throws {
    let connection = try lingering()
    try begin(connection)
    let piece = HTTPRequestPart.body(ByteBuffer(repeating: 7, count: 1 << 20))
    for _ in 0..<4 { try connection.channel.writeInbound(piece) }
    #expect(connection.isOpen)
    try connection.channel.writeInbound(piece)
    #expect(!connection.isOpen)
  }

  @Test func whoHasSentAllIsNotWaitedFor() throws {
    let connection = try lingering()
    connection.inputCloses()
    #expect(connection.isOpen, "before the last answer that is for others to decide")
    try begin(connection)
    connection.inputCloses()
    #expect(!connection.isOpen)
  }

  // MARK: A body that is longer than its length

  private func asking() throws -> (Connection, EventLoopFuture<Bool>) {
    let connection = try Connection.http([WrongLengthHandler()])
    try connection.receive("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc")
    return (connection, WrongLengthHandler.isBodyFollowed(on: connection.channel))
  }

  @Test func bytesThatAreNoRequestAreTheRestOfTheBody() throws {
    let (connection, answer) = try asking()
    connection.advance(.milliseconds(249))
    #expect(throws: (any Error).self) { try connection.receive("\u{1}\u{2}\u{3}\r\n\r\n") }
    #expect(try answer.wait())
  }

  @Test func theRestMayHaveComeBeforeItIsAskedFor() throws {
    let connection = try Connection.http([WrongLengthHandler()])
    #expect(throws: (any Error).self) {
      try connection.receive("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc\u{1}\u{2}\u{3}\r\n\r\n")
    }
    #expect(try WrongLengthHandler.isBodyFollowed(on: connection.channel).wait())
  }

  @Test func aRequestIsNot() throws {
    let (connection, answer) = try asking()
    try connection.receive("GET / HTTP/1.1\r\n\r\n")
    #expect(try !answer.wait())
  }

  @Test(arguments: [true, false])
  func neitherIsTheEnd(_ isHalfClosed: Bool) throws {
    let (connection, answer) = try asking()
    if isHalfClosed { connection.inputCloses() } else { try connection.channel.close().wait() }
    #expect(try !answer.wait())
  }

  @Test func silenceIsTakenForTheEndAfterAMoment() throws {
    let (connection, answer) = try asking()
    let known = NIOLoopBoundBox<Bool?>(nil, eventLoop: connection.channel.eventLoop)
    answer.whenSuccess { known.value = $0 }
    connection.advance(.milliseconds(249))
    #expect(known.value == nil)
    connection.advance(.milliseconds(1))
    #expect(known.value == false)
  }

  // MARK: Viewers that hang up

  @Test func aViewerThatHangsUpIsClosed() throws {
    let connection = try Connection([HangUpHandler()])
    try connection.begin()
    connection.inputCloses()
    #expect(!connection.isOpen)
  }
}
