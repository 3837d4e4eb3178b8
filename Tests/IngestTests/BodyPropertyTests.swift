import NIOCore
import Picture
import TestSupport
import Testing

@testable import Ingest

/// What holds for any bytes at all.
@Suite struct BodyPropertyTests {
  private func cuts(of count: Int, using random: inout SeededGenerator) -> [Int] {
    switch Int.random(in: 0..<4, using: &random) {
    case 0: Array(0..<count)
    case 1: Array(stride(from: 0, to: count, by: Int.random(in: 2...50, using: &random)))
    default: (0..<Int.random(in: 0...6, using: &random)).map { _ in Int.random(in: 0...count, using: &random) }.sorted()
    }
  }

  @Test func howABodyIsCutIntoPiecesMakesNoDifference() {
    var random = SeededGenerator(seed: 6)
    var found = 0
    for number in 0..<4000 {
      let sample = SampleBody(carrying: Pictures.hard, using: &random)
      let another = SampleBody(carrying: Pictures.hard, using: &random)
      let bytes =
        number % 4 == 0
        ? sample.bytes : SampleBody.mutation.applied(to: sample.bytes, mixing: another.bytes, most: 4, using: &random)
      let limit = [60, 300, 10_000].randomElement(using: &random) ?? 0
      let whole = findings(in: bytes, type: sample.contentType, isOpenEnded: !sample.hasLength, limit: limit)
      let cuts = cuts(of: bytes.count, using: &random)
      let pieces = findings(
        in: bytes, type: sample.contentType, isOpenEnded: !sample.hasLength, limit: limit, cuts: cuts)
      #expect(whole == pieces, "sample \(number): \(bytes), cut at \(cuts)")
      found += whole.findings.count
      for case .picture(let picture) in whole.findings {
        #expect(picture.readableBytes <= limit)
        #expect(picture.readableBytesView.starts(with: [0xFF, 0xD8, 0xFF]))
      }
      let endings = whole.findings.dropLast().filter {
        switch $0 {
        case .overflow, .malformed: true
        case .picture, .oversized: false
        }
      }
      #expect(endings.isEmpty, "nothing is found behind the end")
    }
    #expect(found > 2000)
  }

  @Test func undamagedBodiesGiveTheirPictures() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<2000 {
      let sample = SampleBody(carrying: Pictures.hard, using: &random)
      let found = findings(in: sample.bytes, type: sample.contentType, isOpenEnded: !sample.hasLength).findings
      #expect(!found.isEmpty)
      for finding in found { #expect(Pictures.hard.map(picture).contains(finding), "\(sample)") }
    }
  }

  @Test func noMoreIsKeptThanAPictureAndAHeader() {
    let limit = 5000
    let parts = Array("\r\n--b\r\n\r\n".utf8)
    let endless: [[UInt8]] = [
      [0xFF, 0xD8, 0xFF, 0xDA, 0, 2], Array("--b\r\n\r\n".utf8) + [0xFF, 0xD8, 0xFF, 0xDA, 0, 2], Array("--b\r\n".utf8),
      Array("--b\r\n\r\n".utf8), Array("{\"i\":\"/9j/2gAC".utf8), Array("{\"i\":\"".utf8), Array("   ".utf8),
      Array("--".utf8), parts,
    ]
    for filler in [[0x41], [0x0A], [0x0D], parts] {
      let small = ByteBuffer(bytes: filler)
      let large = ByteBuffer(bytes: [UInt8](repeatElement(filler, count: 1000).joined()))
      for start in endless {
        var reader = BodyReader(
          label: BodyLabel(contentType: "multipart/mixed; boundary=b", isOpenEnded: true), maxStillBytes: limit)
        _ = reader.read(ByteBuffer(bytes: start))
        var most = 0
        for piece in Array(repeating: small, count: 300) + Array(repeating: large, count: 25) {
          _ = reader.read(piece)
          most = max(most, reader.heldBytes)
        }
        #expect(most <= limit + 17_000)
      }
    }
  }

  @Test func aPictureEndsWhereItsHeaderSays() throws {
    for (name, bytes) in try Pictures.good() {
      let length = try JPEGHeader(ByteBuffer(bytes: bytes), maxPixels: .max).length
      var random = SeededGenerator(seed: UInt64(bytes.count))
      for cuts in [[], (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &random) }.sorted()] {
        let found = findings(in: bytes, limit: bytes.count, cuts: cuts).findings
        #expect(found == [picture(Array(bytes[..<length]))], "\(name)")
      }
    }
  }
}
