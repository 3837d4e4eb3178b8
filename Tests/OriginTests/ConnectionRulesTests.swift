import HTTPTypes
import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import NIOHTTPTypes
import Testing

@testable import Origin

/// The rules of HTTP/1 connections and the time that a header has, as `ConnectionRulesInstaller` sets them up.
struct ConnectionRulesTests {
  private let log = InMemoryLogHandler()

  private func connection() throws -> Connection {
    try .http([ConnectionRulesInstaller(headerTime: .seconds(15), logger: Logger(label: "test") { _ in log })])
  }

  private func answer(_ connection: Connection, _ status: HTTPResponse.Status = .ok) throws {
    try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: status)))
    try connection.channel.writeOutbound(HTTPResponsePart.end(nil))
  }

  // MARK: The time of a header

  @Test func aHeaderThatTricklesIsEndedInTime() throws {
    let connection = try connection()
    connection.advance(.seconds(100))
    try connection.receive("GET / HTTP/1.1\r\nX-Slow: ")
    for _ in 0..<14 {
      connection.advance(.seconds(1))
      try connection.receive("x")
    }
    #expect(try connection.sent().isEmpty && connection.isOpen)
    connection.advance(.seconds(1))
    let answer = try connection.sent()
    #expect(answer.hasPrefix("HTTP/1.1 408 Request Timeout\r\n") && answer.contains("\"slowHeader\""))
    #expect(answer.contains("Connection: close\r\n"))
    #expect(!connection.isOpen)
  }

  @Test func aBodyMayTakeLongerThanAHeader() throws {
    let connection = try connection()
    try connection.receive("POST / HTTP/1.1\r\nContent-Length: 4\r\n")
    connection.advance(.seconds(14))
    try connection.receive("\r\nab")
    connection.advance(.seconds(60))
    try connection.receive("cd")
    connection.advance(.seconds(60))
    #expect(try connection.sent().isEmpty && connection.isOpen)
    #expect(try connection.parts().count == 4)
  }

  @Test func eachHeaderHasATimeOfItsOwn() throws {
    let connection = try connection()
    for _ in 0..<3 {
      try connection.receive("GET / HTTP/1.1\r\n")
      connection.advance(.seconds(14))
      try connection.receive("\r\n")
      try answer(connection)
      #expect(try connection.sent().hasPrefix("HTTP/1.1 200"))
      connection.advance(.seconds(100))
    }
    try connection.receive("GET /")
    connection.advance(.seconds(15))
    #expect(try connection.sent().contains(" 408 ") && !connection.isOpen)
  }

  @Test func nothingIsWrittenIntoAnAnswer() throws {
    let connection = try connection()
    try connection.receive("GET / HTTP/1.1\r\n\r\n")
    try connection.receive("GET /next HT")
    try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
    #expect(try connection.sent().hasPrefix("HTTP/1.1 200"))
    connection.advance(.seconds(44))
    #expect(try connection.sent().isEmpty && connection.isOpen)
    try connection.channel.writeOutbound(HTTPResponsePart.end(nil))
    _ = try connection.sent()
    connection.advance(.seconds(1))
    #expect(try connection.sent().contains(" 408 ") && !connection.isOpen)
  }

  @Test func aConnectionThatEndsLeavesNoDeadline() throws {
    let connection = try connection()
    try connection.receive("GET /")
    try connection.channel.close().wait()
    connection.advance(.seconds(100))
    #expect(try connection.sent().isEmpty)
  }

  // MARK: The rules

  @Test(arguments: [("Close", "close"), ("TE, CLOSE", "close"), ("TE", "TE"), ("keep-alive", "keep-alive")])
  func theConnectionHeaderIsAListWithoutCase(_ value: String, _ passedOn: String) throws {
    let connection = try connection()
    try connection.receive("GET / HTTP/1.1\r\nConnection: \(value)\r\n\r\n")
    guard case .head(let head)? = try connection.parts().first else { throw TestFailure("no request came") }
    #expect(head.headerFields[.connection] == passedOn)
  }

  @Test func anAnswerToHTTP10IsOfThatVersion() throws {
    let connection = try connection()
    try connection.receive("GET / HTTP/1.0\r\n\r\n")
    guard case .head(let head)? = try connection.parts().first else { throw TestFailure("no request came") }
    #expect(head.headerFields[.connection] == "close")
    try answer(connection)
    let sent = try connection.sent()
    #expect(sent.hasPrefix("HTTP/1.0 200") && !sent.lowercased().contains("chunked"))
  }

  @Test func aHeaderThatIsTooLongIsToldFromABadOne() throws {
    let tooLong = try connection()
    // NIO's parser gives up at 80 KiB where nothing else is set.
    #expect(throws: HTTPParserError.self) {
      try tooLong.receive("GET / HTTP/1.1\r\nX-Long: \(String(repeating: "x", count: 100_000))\r\n\r\n")
    }
    try answer(tooLong, .badRequest)
    #expect(try tooLong.sent().hasPrefix("HTTP/1.1 431"))
    let bad = try connection()
    #expect(throws: HTTPParserError.self) { try bad.receive("GET / HTTP/1.1\r\nX Y: z\r\n\r\n") }
    try answer(bad, .badRequest)
    #expect(try bad.sent().hasPrefix("HTTP/1.1 400"))
  }

  // MARK: Where they have no place

  @Test func aConnectionWithoutTheCodecIsClosedAndReported() throws {
    let connection = try Connection()
    try connection.begin()
    let installer = ConnectionRulesInstaller(headerTime: .seconds(15), logger: Logger(label: "test") { _ in log })
    try connection.channel.pipeline.syncOperations.addHandler(installer)
    #expect(!connection.isOpen)
    #expect(log.entries.map(\.level) == [.critical])
    #expect(log.entries.first?.message.description.contains("limits could not be set up") == true)
  }

  @Test func theInstallerLeavesAndReportsNothingWhereAllIsInPlace() throws {
    let connection = try connection()
    #expect(throws: ChannelPipelineError.self) {
      try connection.channel.pipeline.syncOperations.handler(type: ConnectionRulesInstaller.self)
    }
    #expect(log.entries.isEmpty && connection.isOpen)
  }
}

/// What a test says that cannot go on.
struct TestFailure: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
