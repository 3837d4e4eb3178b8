import Media
import NIOCore
import Picture
import TestSupport
import Testing

@testable import Packager

@Suite struct FragmentReaderTests {
  /// An access unit of NAL units with these headers and lengths.
  private func picture(_ units: [(header: UInt8, length: Int)], isIDR: Bool) -> CodedPicture {
    var bytes = ByteBuffer()
    for (header, length) in units {
      bytes.writeInteger(UInt32(length))
      bytes.writeInteger(header)
      bytes.writeRepeatingByte(0xA5, count: length - 1)
    }
    return CodedPicture(bytes: bytes, isIDR: isIDR)
  }

  private func idr(_ length: Int) -> CodedPicture {
    picture([(0x67, 24), (0x68, 4), (0x65, length)], isIDR: true)
  }

  private func other(_ length: Int) -> CodedPicture { picture([(0x41, length)], isIDR: false) }

  /// A segment of two parts of three pictures each.
  private var segment: (pictures: [CodedPicture], bytes: ByteBuffer) {
    get throws {
      let timeline = try TimelineSettings(rate: 3, part: .seconds(1), segment: .seconds(2))
      var segmenter = Segmenter(settings: timeline, firstSequence: 9)
      let pictures = [idr(300), other(12), other(80), other(1), other(2), other(3000)]
      _ = segmenter.append(Array(pictures[..<3]))
      return (pictures, try #require(segmenter.append(Array(pictures[3...])).segment))
    }
  }

  @Test func whatWasPackagedComesBackAsItWas() throws {
    let (pictures, bytes) = try segment
    // The reader begins where the buffer's reader does, wherever that is.
    var shifted = ByteBuffer(repeating: 7, count: 5)
    shifted.writeImmutableBuffer(bytes)
    shifted.moveReaderIndex(forwardBy: 5)
    for buffer in [bytes, shifted] {
      let parts = try FragmentReader.parts(in: buffer)
      #expect(parts.map(\.start) == [.zero, .seconds(1)])
      #expect(parts.flatMap(\.pictures) == pictures)
    }
  }

  @Test func theInitSegmentInFrontIsMeasured() throws {
    var ftyp = ByteBuffer()
    for (type, length) in [("ftyp", 24), ("moov", 600)] {
      ftyp.writeInteger(UInt32(length))
      ftyp.writeString(type)
      ftyp.writeRepeatingByte(0, count: length - 8)
    }
    var bytes = ftyp
    bytes.writeImmutableBuffer(try segment.bytes)
    #expect(try FragmentReader.initLength(in: bytes) == 624)
    #expect(throws: FragmentReader.Damage.self) { try FragmentReader.initLength(in: segment.bytes) }
    #expect(throws: FragmentReader.Damage.self) {
      try FragmentReader.initLength(in: ftyp.getSlice(at: 0, length: 500)!)
    }
  }

  @Test func noBeginningOfASegmentButWholePartsIsTaken() throws {
    let bytes = try segment.bytes
    let firstPart = try FragmentReader.parts(in: bytes)[0].pictures
    var taken: [Int] = []
    for length in 0..<bytes.readableBytes {
      let cut = try #require(bytes.getSlice(at: 0, length: length))
      guard let parts = try? FragmentReader.parts(in: cut) else { continue }
      taken.append(length)
      #expect(parts.isEmpty || parts.flatMap(\.pictures) == firstPart)
    }
    #expect(taken.count == 2 && taken[0] == 0, "\(taken)")
  }

  @Test func whatFollowsTheLastPartIsAnError() throws {
    for tail in [[0], [0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65], [UInt8](repeating: 0xFF, count: 40)] as [[UInt8]] {
      var bytes = try segment.bytes
      bytes.writeBytes(tail)
      #expect(throws: FragmentReader.Damage.self) { try FragmentReader.parts(in: bytes) }
    }
  }

  @Test func eachFieldOfTheBoxesIsHeldToItsForm() throws {
    // Everything before the media of the first part is layout, the sizes and times included.
    let bytes = try segment.bytes
    let layout = 8 + 16 + 8 + 16 + 20 + 8 + 4 + 4 + 4 + 4 + 3 * 4 + 8
    let free = Set(20..<24).union(60..<68)  // The part's number and the low and high words of its time.
    for index in 0..<layout where !free.contains(index) {
      var damaged = bytes
      damaged.setInteger(bytes.getInteger(at: index, as: UInt8.self)! ^ 0x10, at: index)
      #expect(throws: FragmentReader.Damage.self, "byte \(index)") { try FragmentReader.parts(in: damaged) }
    }
  }

  @Test func noDamageMakesItReadBeyondItsBytes() throws {
    let bytes = try segment.bytes
    var generator = SeededGenerator(seed: 4)
    var refused = 0
    for _ in 0..<4000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        damaged.setInteger(
          UInt8.random(in: 0...255, using: &generator),
          at: Int.random(in: 0..<bytes.readableBytes, using: &generator))
      }
      do {
        let sizes = try FragmentReader.parts(in: damaged).flatMap(\.pictures).map(\.bytes.readableBytes)
        #expect(sizes.reduce(0, +) < bytes.readableBytes)
      } catch { refused += 1 }
    }
    #expect(refused > 100)
  }
}
