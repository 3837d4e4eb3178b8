import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Origin

/// How long the server waits for a client that sends nothing or takes nothing.
struct SlowClientTests {
  // MARK: Who sends

  @Test func aBodyThatStopsIsAnsweredAndClosed() throws {
    let connection = try Connection.http([SlowSenderHandler(.seconds(10))])
    try connection.receive("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")
    connection.advance(.milliseconds(9_999))
    #expect(connection.isOpen)
    connection.advance(.milliseconds(1))
    let answer = try connection.sent()
    #expect(answer.hasPrefix("HTTP/1.1 408") && answer.contains("\"slowBody\""))
    #expect(answer.lowercased().contains("connection: close"))
    #expect(!connection.isOpen)
  }

  @Test func aBodyMayTrickle() throws {
    let connection = try Connection.http([SlowSenderHandler(.seconds(10))])
    try connection.receive("POST / HTTP/1.1\r\nContent-Length: 60\r\n\r\n")
    for _ in 0..<60 {
      connection.advance(.seconds(9))
      try connection.receive("x")
    }
    connection.advance(.hours(1))
    #expect(try connection.sent().isEmpty && connection.isOpen)
    #expect(try connection.parts().count == 62)
  }

  @Test func theNextBodyOnTheConnectionHasADeadlineToo() throws {
    let connection = try Connection.http([SlowSenderHandler(.seconds(10))])
    try connection.receive("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx")
    connection.advance(.seconds(100))
    try connection.receive("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nx")
    connection.advance(.seconds(10))
    #expect(try connection.sent().contains(" 408 ") && !connection.isOpen)
  }

  @Test(arguments: [(HTTPResponse.Status.continue, true), (.unauthorized, false)])
  func whoHasAnAnswerGetsNoSecondOne(_ status: HTTPResponse.Status, _ isAnsweredAgain: Bool) throws {
    let connection = try Connection.http([SlowSenderHandler(.seconds(10))])
    try connection.receive("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")
    try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: status)))
    _ = try connection.sent()
    connection.advance(.seconds(10))
    #expect(try connection.sent().contains(" 408 ") == isAnsweredAgain)
    #expect(!connection.isOpen)
  }

  // MARK: Who reads

  private func reading() throws -> Connection {
    let connection = try Connection([SlowReaderHandler(.seconds(10))])
    try connection.begin()
    return connection
  }

  private func write(_ isPossible: Bool, _ connection: Connection) {
    connection.channel.isWritable = isPossible
    connection.channel.pipeline.fireChannelWritabilityChanged()
  }

  @Test func aReaderThatStopsIsClosed() throws {
    let connection = try reading()
    connection.advance(.hours(1))
    write(false, connection)
    connection.advance(.milliseconds(9_999))
    #expect(connection.isOpen)
    connection.advance(.milliseconds(1))
    #expect(!connection.isOpen)
  }

  @Test func aReaderThatGoesOnIsLeftAlone() throws {
    let connection = try reading()
    for _ in 0..<20 {
      write(false, connection)
      connection.advance(.seconds(9))
      write(true, connection)
      connection.advance(.seconds(9))
    }
    #expect(connection.isOpen)
    write(false, connection)
    // Told again in between, as NIO may do, the time runs on.
    connection.advance(.seconds(9))
    write(false, connection)
    connection.advance(.seconds(1))
    #expect(!connection.isOpen)
  }
}
