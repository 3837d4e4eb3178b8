import CBrotli
import NIOCore

/// How much time goes into making a text small with brotli.
package enum BrotliQuality: Int32, Sendable {
  /// 20 microseconds for a playlist: for what is made anew again and again.
  case quick = 5
  /// 10 milliseconds for a script of 10 kB: for what is made once in a process. A tenth smaller.
  case small = 11
}

extension ByteBuffer {
  /// The readable bytes as one brotli stream (RFC 7932); equal bytes give equal results.
  package func brotlied(_ quality: BrotliQuality = .quick) -> ByteBuffer {
    var output = ByteBuffer()
    withUnsafeReadableBytes { input in
      // For no bytes at all the bound is 2, and the stream has one byte.
      let bound = BrotliEncoderMaxCompressedSize(input.count)
      output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { room in
        var size = room.count
        // Up to 16 MiB back: no file here is longer.
        let isDone = BrotliEncoderCompress(
          quality.rawValue, Int32(BROTLI_MAX_WINDOW_BITS), BROTLI_MODE_TEXT, input.count,
          input.bindMemory(to: UInt8.self).baseAddress, &size, room.bindMemory(to: UInt8.self).baseAddress)
        precondition(isDone == BROTLI_TRUE, "the bound of brotli was no bound, or there is no memory")
        return size
      }
    }
    return output
  }
}
