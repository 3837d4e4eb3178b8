import Media
import NIOCore

/// Writes nested ISO base media boxes into a buffer. Each is its size, its type and its payload (ISO/IEC 14496-12,
/// section 4.2).
struct BoxWriter {
  private(set) var buffer: ByteBuffer

  init(capacity: Int) { buffer = .fitting(capacity: capacity) }

  /// Writes a box whose payload `body` writes. The size is set when the payload is known.
  mutating func box(_ type: StaticString, _ body: (inout BoxWriter) -> Void) {
    let start = buffer.writerIndex
    buffer.writeInteger(UInt32(0))
    buffer.writeStaticString(type)
    body(&self)
    buffer.setInteger(UInt32(buffer.writerIndex - start), at: start)
  }

  /// Writes a box that begins with a version and 24 bits of flags.
  mutating func fullBox(_ type: StaticString, version: UInt8 = 0, flags: UInt32 = 0, _ body: (inout BoxWriter) -> Void)
  {
    box(type) { writer in
      writer.put(UInt32(version) << 24 | flags)
      body(&writer)
    }
  }

  mutating func put<Number: FixedWidthInteger>(_ number: Number) { buffer.writeInteger(number) }
  mutating func put(_ text: StaticString) { buffer.writeStaticString(text) }
  mutating func put(_ bytes: ByteBuffer) { buffer.writeImmutableBuffer(bytes) }
  mutating func zeros(_ count: Int) { buffer.writeRepeatingByte(0, count: count) }
  mutating func set(_ number: UInt32, at index: Int) { buffer.setInteger(number, at: index) }
}
