import CZlib
import NIOCore

extension ByteBuffer {
  /// The readable bytes as one gzip member (RFC 1952) at the given level, 1 (fast) to 9 (small).
  ///
  /// The member has no name and no time, so equal bytes give equal results and an ETag can be made of them.
  package func gzipped(level: Int32 = 6) -> ByteBuffer {
    var output = ByteBuffer()
    var stream = z_stream()
    // zlib remembers the address of its stream, so all calls need the same pointer.
    withUnsafeMutablePointer(to: &stream) { stream in
      precondition(qc_deflate_init_gzip(stream, level) == Z_OK, "zlib refused level \(level) or has no memory")
      defer { deflateEnd(stream) }
      withUnsafeReadableBytes { input in
        let bound = Int(deflateBound(stream, UInt(input.count)))
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { room in
          // `next_in` is not const for historical reasons; zlib never writes there.
          stream.pointee.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
          stream.pointee.avail_in = UInt32(input.count)
          stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
          stream.pointee.avail_out = UInt32(room.count)
          // The buffer has deflate's own upper bound, so one call always finishes.
          precondition(deflate(stream, Z_FINISH) == Z_STREAM_END, "deflateBound was no bound")
          return Int(stream.pointee.total_out)
        }
      }
    }
    return output
  }
}
