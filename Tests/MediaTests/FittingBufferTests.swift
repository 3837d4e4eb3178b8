import Media
import NIOCore
import Testing

@Suite struct FittingBufferTests {
  @Test(arguments: [0, 1, 5, 4097, 40_000]) func itTakesNoMoreThanItsBytes(_ count: Int) {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) }
    let buffer = bytes.withUnsafeBytes { ByteBuffer.fitting($0) }
    #expect(buffer.capacity == max(1, count))
    #expect(Array(buffer.readableBytesView) == bytes)
  }

  /// Whoever writes more than was said, or into a copy, changes nothing else.
  @Test func moreCanBeWritten() {
    var buffer = ByteBuffer.fitting(capacity: 3)
    buffer.writeString("abc")
    var other = buffer
    other.writeString("def")
    buffer.clear()
    buffer.writeString("x")
    #expect(String(buffer: other) == "abcdef" && String(buffer: buffer) == "x")
  }
}
