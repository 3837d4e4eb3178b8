import NIOCore
import Testing

@testable import Media

/// Sequence parameter sets that differ in what a decoder has to keep.
@Suite struct SequenceBoundsTests {
  /// A set like those of x264: High profile, level 3.1, 640x480, picture order of type 2.
  private func set(
    references: Int = 2, buffered: Int = 2, level: Int = 31, columns: Int = 40, motion: Int = 9, hasHRD: Bool = false
  ) -> ByteBuffer {
    var bits = BitWriter()
    bits.append(100, bits: 8)
    bits.append(0, bits: 8)
    bits.append(level, bits: 8)
    for value in [0, 1, 0, 0] { bits.append(unsigned: value) }
    bits.append(0, bits: 2)
    for value in [0, 2, references] { bits.append(unsigned: value) }
    bits.append(false)
    for value in [columns - 1, 29] { bits.append(unsigned: value) }
    bits.append(0b1101, bits: 4)  // Frames, direct_8x8_inference_flag, no cropping, usability information.
    bits.append(0b00, bits: 2)
    bits.append(true)
    bits.append(5, bits: 3)
    bits.append(0b01, bits: 2)
    bits.append(0x01_0106, bits: 24)
    bits.append(true)
    bits.append(unsigned: 0)
    bits.append(unsigned: 0)
    bits.append(true)
    bits.append(1, bits: 32)
    bits.append(4, bits: 32)
    bits.append(true)
    bits.append(hasHRD)
    bits.append(0b0011, bits: 4)  // No second HRD, no pic_struct, restrictions, motion over the edges.
    for value in [0, 0, motion, motion, 0, buffered] { bits.append(unsigned: value) }
    bits.append(true)
    return ByteBuffer(bytes: [0x67] + EscapedUnit.escaped(bits.bytes))
  }

  @Test func onlyTheMemoryOfADecoderMayDiffer() throws {
    let stream = try #require(SequenceBounds(set()))
    #expect(stream.references == 2 && stream.buffered == 2)
    #expect(stream.fits(into: stream))
    #expect(try #require(SequenceBounds(set(references: 1, buffered: 1))).fits(into: stream))
    for other in [
      set(references: 3), set(buffered: 3), set(references: 1, level: 30), set(columns: 41), set(motion: 10),
    ] {
      #expect(try #require(SequenceBounds(other)).fits(into: stream) == false)
    }
  }

  @Test func otherSetsAreNotRead() {
    #expect(SequenceBounds(set(hasHRD: true)) == nil)
    let whole = set()
    for length in 0..<whole.readableBytes - 1 {
      #expect(SequenceBounds(whole.getSlice(at: 0, length: length) ?? ByteBuffer()) == nil, "\(length) bytes")
    }
  }
}
