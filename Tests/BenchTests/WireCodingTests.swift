import Foundation
import HTTPTypes
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

@Suite struct WireDictionaryTests {
  private let old = ByteBuffer(string: (0..<90).map { "#EXTINF:12,\n\($0).mp4\n" }.joined())
  private let new = ByteBuffer(string: (1..<91).map { "#EXTINF:12,\n\($0).mp4\n" }.joined())

  @Test func aDictionaryGivesTheTextAgain() throws {
    let dictionary = WireDictionary(old)
    // The digest of nothing is known to everybody.
    #expect(WireDictionary(ByteBuffer()).name == ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")
    var body = ByteBuffer(bytes: [0x5e, 0x2a, 0x4d, 0x18, 0x20, 0, 0, 0])
    let hash = try #require(Data(base64Encoded: String(dictionary.name.dropFirst().dropLast())))
    body.writeBytes(hash)
    body.writeImmutableBuffer(new.zstandard(dictionary: old))
    #expect(body.readableBytes < 80)
    #expect(WireCoding("dcz").content(of: body, dictionary: dictionary) == new)
    #expect(WireCoding("dcz").content(of: body, dictionary: WireDictionary(new)) == nil)
    #expect(WireCoding("dcz").content(of: body) == nil)
    for length in 0..<body.readableBytes {
      let cut = try #require(body.getSlice(at: body.readerIndex, length: length))
      #expect(dictionary.content(of: cut) == nil, "cut off at \(length)")
    }
    #expect(new.zstandard(dictionary: old).unzstandard(dictionary: old, limit: 100) == nil)
  }

  @Test func aBrowserNamesTheTextThatItHas() throws {
    let name = try #require(HTTPField.Name("Use-As-Dictionary"))
    func answer(_ match: String?, at ended: ContinuousClock.Instant) -> WireAnswer {
      var fields = HTTPFields()
      if let match { fields[name] = match }
      return WireAnswer(status: 200, fields: fields, body: ByteBuffer(), began: ended, ended: ended)
    }
    var kept = BrowserDictionaries()
    let start = ContinuousClock.now
    let path = "/desk/live.m3u8"
    kept.take("\(path)?_HLS_msn=1", answer("match=\"live.m3u8\"", at: start), body: old)
    #expect(kept.newest(for: path, at: start) == nil)
    let later = start + .seconds(1)
    #expect(kept.newest(for: "\(path)?_HLS_msn=2", at: later)?.name == WireDictionary(old).name)
    kept.take(path, answer("match=\"live.m3u8\"", at: later), body: new)
    #expect(kept.newest(for: path, at: later)?.name == WireDictionary(old).name)
    #expect(kept.newest(for: path, at: later + .seconds(1))?.name == WireDictionary(new).name)
    #expect(kept.newest(for: "/square/live.m3u8", at: later + .seconds(1)) == nil)
    kept.take("/square/live.m3u8", answer(nil, at: start), body: old)
    #expect(kept.newest(for: "/square/live.m3u8", at: later) == nil)
  }
}
