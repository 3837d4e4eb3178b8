import CZlib
import NIOCore

extension ByteBuffer {
  /// The content of a gzip member (RFC 1952); `nil` if it is none, is cut off, or has more than `limit` bytes.
  func gunzipped(limit: Int = 16 << 20) -> ByteBuffer? {
    var output = ByteBuffer()
    var stream = z_stream()
    // zlib remembers the address of its stream, so all calls need the same pointer.
    return withUnsafeMutablePointer(to: &stream) { stream in
      guard qc_inflate_init_gzip(stream) == Z_OK else { return nil }
      defer { inflateEnd(stream) }
      return withUnsafeReadableBytes { input in
        // `next_in` is not const for historical reasons; zlib never writes there.
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        var result = Z_OK
        while result == Z_OK, output.readableBytes <= limit {
          output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(4096, input.count * 4)) { room in
            stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.avail_out = UInt32(room.count)
            result = inflate(stream, Z_NO_FLUSH)
            return room.count - Int(stream.pointee.avail_out)
          }
        }
        return result == Z_STREAM_END && output.readableBytes <= limit ? output : nil
      }
    }
  }
}
