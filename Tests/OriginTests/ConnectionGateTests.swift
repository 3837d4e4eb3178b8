import Access
import HummingbirdCore
import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import NIOExtras
import NIOTLS
import Testing

@testable import Origin

/// The limits of a listener's connections, and what a connection has until its first request.
struct ConnectionGateTests {
  private let log = InMemoryLogHandler()
  private var logger: Logger { Logger(label: "test") { _ in log } }
  private let connections = Connections(limits: .init(total: 2, perAddress: 1))
  private let rules = TLSRules(handshakeTime: .seconds(15), patience: .seconds(30))

  private func connection(isPlain: Bool = true, from address: String = "127.0.0.1") throws -> Connection {
    let connection = try Connection([ConnectionGateHandler(connections, isPlain: isPlain)])
    try connection.begin(from: address)
    return connection
  }

  // MARK: Limits

  @Test func aConnectionCountsUntilItEnds() throws {
    let first = try connection()
    let second = try connection(from: "127.0.0.2")
    #expect(connections.counted.open == 2)
    try first.receive("hello")
    #expect(try first.channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: "hello"))
    try first.channel.close().wait()
    #expect(connections.counted.open == 1)
    let third = try connection()
    #expect(third.isOpen && second.isOpen && connections.counted == (2, 0))
  }

  @Test(arguments: ["127.0.0.1", "127.0.0.3"])
  func whoIsTurnedAwayIsToldSoAndNotHeard(_ address: String) throws {
    let held = [try connection(), try connection(from: "127.0.0.2")]
    let late = try connection(from: address)
    #expect(connections.counted == (2, 1))
    let answer = try late.sent()
    #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("\"tooManyConnections\""))
    #expect(answer.contains("Retry-After: 5\r\n"))
    #expect(late.hasClosedOutput && late.isOpen)
    try late.receive("GET / HTTP/1.1\r\n\r\n")
    #expect(try late.channel.readInbound(as: ByteBuffer.self) == nil)
    late.advance(.milliseconds(999))
    #expect(late.isOpen)
    late.advance(.milliseconds(1))
    #expect(!late.isOpen)
    #expect(connections.counted == (2, 1), "who never came in does not leave")
    for connection in held { #expect(connection.isOpen) }
  }

  @Test func whoIsTurnedAwayAndHangsUpIsGone() throws {
    let held = try connection()
    let late = try connection()
    late.inputCloses()
    #expect(!late.isOpen && held.isOpen)
  }

  @Test func nothingIsSaidInTheClearWhereTLSIsSpoken() throws {
    let held = try connection(isPlain: false)
    let late = try connection(isPlain: false)
    #expect(try late.sent().isEmpty && !late.isOpen && held.isOpen)
  }

  // MARK: Setup

  /// A channel that sets up nothing.
  private struct Bare: ServerChildChannel {
    struct Value: ServerChildChannelValue {
      let channel: any Channel
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
      channel.eventLoop.makeSucceededFuture(Value(channel: channel))
    }

    func handle(value: Value, logger: Logger) async {}
  }

  @Test func aPlainConnectionIsSetUp() throws {
    let connection = try Connection()
    let gate = ConnectionGate(base: Bare(), connections: connections, tls: nil)
    _ = try gate.setup(channel: connection.channel, logger: logger).wait()
    try connection.begin()
    #expect(connection.isOpen && log.entries.isEmpty && connections.counted.open == 1)
  }

  /// Without this a library that names its TLS handler otherwise would take the deadline of handshakes away.
  @Test func aSecureConnectionWithoutTLSIsClosedAndReported() throws {
    let connection = try Connection()
    let gate = ConnectionGate(base: Bare(), connections: connections, tls: rules)
    let setup = gate.setup(channel: connection.channel, logger: logger)
    #expect(throws: ChannelPipelineError.self) { try setup.wait() }
    #expect(!connection.isOpen)
    #expect(log.entries.map(\.level) == [.critical])
  }

  // MARK: Handshakes

  @Test func aHandshakeThatDoesNotComeIsNotWaitedFor() throws {
    let connection = try Connection([HandshakeDeadlineHandler(rules)])
    try connection.begin()
    connection.advance(.milliseconds(14_999))
    #expect(connection.isOpen)
    connection.advance(.milliseconds(1))
    #expect(!connection.isOpen)
  }

  @Test func aHandshakeThatIsDoneHasNoDeadline() throws {
    let connection = try Connection([HandshakeDeadlineHandler(rules)])
    try connection.begin()
    connection.advance(.seconds(14))
    connection.channel.pipeline.fireUserInboundEventTriggered(
      TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
    connection.advance(.hours(1))
    #expect(connection.isOpen)
  }

  // MARK: The end of the process

  /// Notes when the end of the process gets through.
  private final class Ending: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private(set) var count = 0

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if event is ChannelShouldQuiesceEvent { count += 1 }
    }
  }

  @Test func aNewConnectionMayAskOnceBeforeTheProcessEnds() throws {
    let ending = Ending()
    let connection = try Connection([FirstRequestGraceHandler(), ending])
    try connection.begin()
    connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    connection.advance(.milliseconds(249))
    #expect(ending.count == 0)
    connection.advance(.milliseconds(1))
    #expect(ending.count == 1)
  }

  @Test func aConnectionThatHasAskedEndsAtOnce() throws {
    let ending = Ending()
    let connection = try Connection([FirstRequestGraceHandler(), ending])
    try connection.begin()
    try connection.receive("GET / HTTP/1.1\r\n\r\n")
    connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
    #expect(ending.count == 1)
    connection.advance(.seconds(1))
    #expect(ending.count == 1)
  }
}
