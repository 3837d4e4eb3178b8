import NIOCore
import NIOEmbedded
import Testing

@testable import Origin

/// Pieces that are flushed together leave as one.
struct RecordPackerTests {
  private func written(to channel: EmbeddedChannel) throws -> [Int] {
    var sizes: [Int] = []
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) { sizes.append(bytes.readableBytes) }
    return sizes
  }

  @Test func whatIsFlushedTogetherLeavesTogether() throws {
    let channel = EmbeddedChannel(handler: RecordPacker())
    let written = channel.write(ByteBuffer(string: "head"))
    let last = channel.write(ByteBuffer(string: "body"))
    #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
    channel.flush()
    #expect(try channel.readOutbound(as: ByteBuffer.self) == ByteBuffer(string: "headbody"))
    try written.wait()
    try last.wait()
    channel.flush()
    #expect(try channel.readOutbound(as: ByteBuffer.self) == nil)
  }

  @Test func whatFillsARecordIsNotCopied() throws {
    let channel = EmbeddedChannel(handler: RecordPacker())
    for size in [9, 40_000, 9, 16_000, 1000, 9] {
      channel.write(ByteBuffer(repeating: 7, count: size), promise: nil)
    }
    channel.flush()
    #expect(try self.written(to: channel) == [9, 40_000, 16_009, 1009])
  }

  @Test func whoWaitsForAPieceOfAClosedConnectionIsTold() throws {
    let channel = EmbeddedChannel(handler: RecordPacker())
    let written = channel.write(ByteBuffer(string: "last"))
    try channel.close().wait()
    #expect(throws: (any Error).self) { try written.wait() }
  }
}
