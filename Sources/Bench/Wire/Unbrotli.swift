import CBrotli
import NIOCore

extension ByteBuffer {
  /// The content of a brotli stream (RFC 7932); `nil` if it is none, is cut off, is followed by something else, or has
  /// more than `limit` bytes.
  func unbrotlied(limit: Int = 16 << 20) -> ByteBuffer? {
    guard let decoder = BrotliDecoderCreateInstance(nil, nil, nil) else { return nil }
    defer { BrotliDecoderDestroyInstance(decoder) }
    var output = ByteBuffer()
    return withUnsafeReadableBytes { input in
      var (missing, next) = (input.count, input.bindMemory(to: UInt8.self).baseAddress)
      var result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT
      while result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT, output.readableBytes <= limit {
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(4096, input.count * 4)) { room in
          var (free, place) = (room.count, room.bindMemory(to: UInt8.self).baseAddress)
          result = BrotliDecoderDecompressStream(decoder, &missing, &next, &free, &place, nil)
          return room.count - free
        }
      }
      return result == BROTLI_DECODER_RESULT_SUCCESS && missing == 0 && output.readableBytes <= limit ? output : nil
    }
  }
}
