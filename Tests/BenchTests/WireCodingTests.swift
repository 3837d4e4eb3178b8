import Media
import NIOCore
import TestSupport
import Testing

@testable import Bench

@Suite struct WireCodingTests {
  private let text = ByteBuffer(string: (0..<300).map { "#EXTINF:12,\n\($0).mp4\n" }.joined())

  @Test func bodiesAreReadInEachCoding() {
    #expect(WireCoding("").content(of: text) == text && WireCoding("identity").content(of: text) == text)
    #expect(WireCoding("gzip").content(of: text.gzipped()) == text)
    for quality in [BrotliQuality.quick, .small] {
      #expect(WireCoding("br").content(of: text.brotlied(quality)) == text)
    }
    #expect(WireCoding("br").content(of: ByteBuffer().brotlied()) == ByteBuffer())
    #expect(WireCoding("zstd").content(of: text) == nil && WireCoding("zstd").name == "zstd")
  }

  @Test func damagedBrotliIsNoText() {
    let packed = text.brotlied()
    #expect(packed.unbrotlied(limit: 100) == nil)
    for length in 0..<packed.readableBytes {
      #expect(packed.getSlice(at: packed.readerIndex, length: length)?.unbrotlied() == nil)
    }
    var longer = packed
    longer.writeInteger(UInt8(0))
    #expect(longer.unbrotlied() == nil)
    var random = SeededGenerator(seed: 3)
    for _ in 0..<500 {
      var damaged = packed
      damaged.setInteger(
        UInt8.random(in: 0...255, using: &random),
        at: Int.random(in: damaged.readerIndex..<damaged.writerIndex, using: &random))
      // Brotli has no checksum, so what comes out may be a text; it must only end.
      _ = damaged.unbrotlied(limit: 1 << 20)
    }
  }
}
