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

  private let faults = Faults()

  private func connection() throws -> Connection { try .http([installer()]) }

  private func installer() -> ConnectionRulesInstaller {
    ConnectionRulesInstaller(headerTime: .seconds(15), logger: Logger(label: "test") { _ in log }) {
      [faults] fault, _ in
      faults.all.append(fault)
    }
  }

  /// The requests that could not be read.
  private final class Faults {
    var all: [HeadFault] = []
  }

  private func answer(_ connection: Connection, _ status: HTTPResponse.Status = .ok) throws {
    // As Hummingbird answers to what cannot be read.
    let fields: HTTPFields = status == .badRequest ? [.contentLength: "0"] : [:]
    try connection.channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: status, headerFields: fields)))
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
    try connection.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n")
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
      try connection.receive("GET / HTTP/1.1\r\nHost: a\r\n")
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
    try connection.receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
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
    try connection.receive("GET / HTTP/1.1\r\nHost: a\r\nConnection: \(value)\r\n\r\n")
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
    let sent = try bad.sent()
    #expect(sent.hasPrefix("HTTP/1.1 400") && sent.contains("sign in its name"))
    #expect(faults.all.map(\.code) == ["headTooLarge", "badRequest"])
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\n\r\n", "no Host"), ("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", "2 Host"),
    ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "line 3"),
  ])
  func whatCannotBeReadIsExplainedAndWhatFollowsIsDropped(head: String, word: String) throws {
    let connection = try connection()
    #expect(throws: HTTPParserError.self) { try connection.receive(head) }
    // The parser may complain once more.
    _ = try? connection.receive("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try connection.parts().isEmpty)
    try answer(connection, .badRequest)
    let sent = try connection.sent()
    let body = sent.split(separator: "\r\n\r\n").last ?? ""
    #expect(sent.hasPrefix("HTTP/1.1 400") && sent.contains("Content-Length: \(body.utf8.count)\r\n"))
    #expect(body.contains(word) && body.contains("\"badRequest\"") && faults.all.count == 1)
  }

  @Test func oneHostIsEnoughAndHTTP10NeedsNone() throws {
    for head in ["GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"] {
      let connection = try connection()
      try connection.receive(head)
      #expect(try connection.parts().count == 2 && faults.all.isEmpty)
    }
  }

  @Test func anAnswerOfOursToABadRequestIsNotReplaced() throws {
    let connection = try connection()
    try connection.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab")
    #expect(throws: HTTPParserError.self) { try connection.receive("garbage\r\n\r\n") }
    let fields: HTTPFields = [.contentLength: "3"]
    try connection.channel.writeOutbound(
      HTTPResponsePart.head(HTTPResponse(status: .badRequest, headerFields: fields)))
    try connection.channel.writeOutbound(HTTPResponsePart.body(ByteBuffer(string: "own")))
    try connection.channel.writeOutbound(HTTPResponsePart.end(nil))
    #expect(try connection.sent().hasSuffix("\r\n\r\nown"))
  }

  // MARK: Where they have no place

  @Test func aConnectionWithoutTheCodecIsClosedAndReported() throws {
    let connection = try Connection()
    try connection.begin()
    try connection.channel.pipeline.syncOperations.addHandler(installer())
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
