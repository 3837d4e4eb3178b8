import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import Testing

@testable import Origin
@testable import Station

/// The bounds of a connection by HTTP/2 that NIO does not set.
@Suite struct FrameGuardTests {
  private let world: QuickWorld
  private let patience = TimeAmount.seconds(10)

  init() throws { world = try QuickWorld() }

  private func connection() throws -> FramesConnection {
    try world.frames(below: [FrameGuard(patience: patience, now: .uptimeNanoseconds(0))])
  }

  /// A frame by its parts (RFC 9113, section 4.1).
  private func frame(_ kind: UInt8, _ flags: UInt8 = 0, on stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let length = payload.count
    return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags]
      + (0..<4).map { UInt8(truncatingIfNeeded: stream >> (24 - 8 * UInt32($0))) } + payload
  }

  // MARK: Errors and floods

  @Test func afterAnErrorTheConnectionIsClosedAndNothingMoreIsRead() throws {
    let connection = try connection()
    // A PING belongs to the connection, and not to a stream (RFC 9113, section 6.7).
    try connection.server.writeInbound(ByteBuffer(bytes: frame(6, on: 1, Array(repeating: 0, count: 8))))
    try connection.exchange()
    #expect(connection.goAways == [.protocolError])
    // GET https / by static fields.
    try connection.server.writeInbound(ByteBuffer(bytes: frame(1, 5, on: 1, [0x82, 0x87, 0x84])))
    #expect(connection.passedOn.isEmpty)
    connection.server.embeddedEventLoop.run()
    #expect(!connection.server.isActive)
  }

  @Test func whatIsReadAfterNoErrorGoesOn() throws {
    let connection = try connection()
    try connection.server.writeInbound(ByteBuffer(bytes: frame(1, 5, on: 1, [0x82, 0x87, 0x84])))
    #expect(connection.passedOn.map(\.streamID) == [1])
  }

  @Test func whoResetsStreamsWithoutEndIsClosed() throws {
    let connection = try connection()
    for number in 0..<200 {
      let id = HTTP2StreamID(2 * number + 1)
      try connection.ask(id, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
      try connection.send(id, .rstStream(.cancel))
    }
    connection.server.embeddedEventLoop.run()
    #expect(connection.server.isActive && connection.goAways.isEmpty, "so many are no attack yet")
    try connection.ask(401, "/desk/live.m3u8?_HLS_msn=7&_HLS_part=2")
    try connection.send(401, .rstStream(.cancel))
    connection.server.embeddedEventLoop.run()
    #expect(connection.goAways == [.enhanceYourCalm])
    #expect(!connection.server.isActive)
    #expect(world.camera.edge.waiters == 0)
  }

  @Test(arguments: [
    [UInt8(6), 0, 8], [4, 0, 0], [2, 1, 5],
  ])
  func whoSendsPingsSettingsOrPrioritiesWithoutEndIsClosed(kind: [UInt8]) throws {
    let connection = try connection()
    let one = frame(kind[0], on: UInt32(kind[1]), Array(repeating: 0, count: Int(kind[2])))
    for _ in 0..<300 where connection.server.isActive {
      try connection.server.writeInbound(ByteBuffer(bytes: one))
      connection.server.embeddedEventLoop.run()
    }
    #expect(!connection.server.isActive)
    // The client would call so many acknowledgements a flood, too.
    var sent: [UInt8] = []
    while let bytes = try connection.server.readOutbound(as: ByteBuffer.self) { sent += Array(bytes.readableBytesView) }
    #expect(Array(sent.suffix(17).prefix(4)) == [0, 0, 8, 7] && Array(sent.suffix(4)) == [0, 0, 0, 11])
  }

  @Test(arguments: [(UInt8(8), UInt8(1)), (0x42, 0)])
  func whoSendsFramesThatAskForNothingWithoutEndIsClosed(kind: UInt8, increment: UInt8) throws {
    let connection = try connection()
    let payload: [UInt8] = increment > 0 ? [0, 0, 0, increment] : []
    // The client's SETTINGS and its acknowledgement came before.
    for _ in 0..<FrameBudget.free - 10 {
      try connection.server.writeInbound(ByteBuffer(bytes: frame(kind, payload)))
    }
    try connection.exchange()
    #expect(connection.goAways.isEmpty && connection.server.isActive)
    for _ in 0..<20 { try connection.server.writeInbound(ByteBuffer(bytes: frame(kind, payload))) }
    try connection.exchange()
    #expect(connection.goAways == [.enhanceYourCalm])
    connection.server.embeddedEventLoop.run()
    #expect(!connection.server.isActive)
  }

  @Test func whoGetsManyFramesMaySendMany() throws {
    let connection = try connection()
    for number in 0..<300 {
      try connection.ask(HTTP2StreamID(2 * number + 1), "/desk/7.0.mp4")
      for _ in 0..<10 { try connection.send(.rootStream, .windowUpdate(windowSizeIncrement: 1)) }
    }
    #expect(connection.goAways.isEmpty && connection.answers[599]?.isEnded == true)
  }

  @Test func whatIsFreeIsFreeInEachTime() {
    var (budget, now) = (FrameBudget(now: .uptimeNanoseconds(0)), NIODeadline.uptimeNanoseconds(0))
    /// How many of so many frames are one too many.
    func refused(_ count: Int) -> Int { (0..<count).count { _ in !budget.spend(now: now) } }
    for _ in 0..<5 {
      #expect(refused(FrameBudget.free) == 0)
      now = now + .milliseconds(30_001)
    }
    #expect(refused(FrameBudget.free + 3) == 3)
    now = now + .milliseconds(30_001)
    budget.earn()
    #expect(refused(FrameBudget.free) == 0)
    budget.earn()
    #expect(refused(FrameBudget.share + 1) == 1)
  }

  // MARK: Connections that are of no use

  @Test(arguments: [true, false])
  func whoDoesNotAnswerToAGoAwayIsClosed(answers: Bool) throws {
    let connection = try connection()
    try connection.ask(1, "/desk/7.0.mp4")
    func sayGoodbye() throws {
      let payload = HTTP2Frame.FramePayload.goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil)
      try connection.server.writeOutbound(HTTP2Frame(streamID: .rootStream, payload: payload))
    }
    try sayGoodbye()
    connection.server.embeddedEventLoop.advanceTime(by: .milliseconds(9_999))
    #expect(connection.server.isActive)
    // NIO writes the second one when the client has answered.
    if answers { try sayGoodbye() }
    connection.server.embeddedEventLoop.advanceTime(by: .hours(1))
    #expect(connection.server.isActive == answers)
  }

  // MARK: The client's settings

  @Test func onlyALargerTableIsMadeSmaller() throws {
    let given: [(UInt16, UInt32)] = [(1, 4097), (4, 1 << 30), (1, 4096), (1, 100), (1, .max), (3, 4097), (1, 0x1001)]
    var scan = FrameScan(before: 0)
    var limit = HeaderTableLimit()
    var bytes = ByteBuffer(bytes: frame(4, given.flatMap(entry)))
    var index = bytes.readerIndex
    while let piece = scan.next(in: bytes, from: &index) { limit.apply(to: &bytes, piece) }
    let expected: [(UInt16, UInt32)] = [
      (1, 4096), (4, 1 << 30), (1, 4096), (1, 100), (1, 4096), (3, 4097), (1, 4096),
    ]
    #expect(Array(bytes.readableBytesView) == frame(4, expected.flatMap(entry)))
  }

  private func frame(_ kind: UInt8, _ payload: [UInt8]) -> [UInt8] { frame(kind, 0, on: 0, payload) }

  private func entry(_ name: UInt16, _ value: UInt32) -> [UInt8] {
    [UInt8(name >> 8), UInt8(name & 255)] + (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
  }

  @Test(arguments: 0..<50)
  func whereverTheBytesAreCutTheSameIsRead(seed: UInt64) {
    var random = Seeded(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    var sent = (0..<24).map { _ in UInt8.random(in: 0...255, using: &random) }
    var expected = sent
    for number in 0..<20 {
      let kinds: [UInt8] = [0, 1, 4, 4, 6, 9, 42]
      let kind = number == 0 ? 4 : kinds[Int.random(in: 0..<kinds.count, using: &random)]
      if kind == 4 {
        let entries = (0..<Int.random(in: 0...4, using: &random)).map { _ in
          (
            UInt16.random(in: 0...3, using: &random),
            UInt32.random(in: 0...UInt32.max, using: &random) >> UInt32.random(in: 0...31, using: &random)
          )
        }
        sent += frame(4, entries.flatMap(entry))
        expected += frame(4, entries.flatMap { entry($0, $0 == 1 ? min($1, 4096) : $1) })
      } else {
        let length = Int.random(in: 0...40, using: &random)
        let payload = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
        sent += frame(kind, payload)
        expected += frame(kind, payload)
      }
    }
    var (scan, limit, read) = (FrameScan(before: 24), HeaderTableLimit(), [UInt8]())
    while !sent.isEmpty {
      let count = Int.random(in: 1...min(sent.count, 30), using: &random)
      var bytes = ByteBuffer(bytes: sent.prefix(count))
      sent.removeFirst(count)
      var index = bytes.readerIndex
      while let piece = scan.next(in: bytes, from: &index) {
        if piece.kind == FrameScan.Kind.settings { limit.apply(to: &bytes, piece) }
      }
      read += Array(bytes.readableBytesView)
    }
    #expect(read == expected)
  }

  private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return state
    }
  }
}
