@_spi(CustomByteBufferAllocator) import NIOCore

extension ByteBuffer {
  /// An empty buffer with room for so many bytes and hardly more. NIO itself rounds up to the next power of two, which
  /// for what is kept for minutes, as pictures and segments are, is a third of the memory on average.
  ///
  /// - Parameter capacity: in bytes. Whoever writes more makes an ordinary buffer of it.
  package static func fitting(capacity: Int) -> ByteBuffer {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, capacity), alignment: 1)
    return ByteBuffer(takingOwnershipOf: memory, allocator: ByteBufferAllocator(), writerIndex: 0)
  }

  /// A buffer with a copy of these bytes, and room for hardly more.
  package static func fitting(_ bytes: UnsafeRawBufferPointer) -> ByteBuffer {
    var buffer = ByteBuffer.fitting(capacity: bytes.count)
    buffer.writeBytes(bytes)
    return buffer
  }
}
