import CZstd
import NIOCore

extension ByteBuffer {
  /// The content of Zstandard frames (RFC 8878) made with a dictionary of raw content; `nil` if they are damaged, are
  /// cut off, or have more than `limit` bytes.
  func unzstandard(dictionary: ByteBuffer, limit: Int = 16 << 20) -> ByteBuffer? {
    guard let context = ZSTD_createDCtx() else { return nil }
    defer { ZSTD_freeDCtx(context) }
    var output = ByteBuffer()
    return withUnsafeReadableBytes { bytes in
      dictionary.withUnsafeReadableBytes { prefix in
        guard ZSTD_isError(ZSTD_DCtx_refPrefix(context, prefix.baseAddress, prefix.count)) == 0 else { return nil }
        var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
        while true {
          var (result, room) = (0, 0)
          output.writeWithUnsafeMutableBytes(minimumWritableBytes: max(4096, bytes.count * 4)) { place in
            var piece = ZSTD_outBuffer(dst: place.baseAddress, size: place.count, pos: 0)
            result = ZSTD_decompressStream(context, &piece, &input)
            room = piece.size - piece.pos
            return ZSTD_isError(result) == 0 ? piece.pos : 0
          }
          guard ZSTD_isError(result) == 0, output.readableBytes <= limit else { return nil }
          if result == 0, input.pos == input.size { return output }
          // There is room left, so it waits for bytes that do not come.
          if input.pos == input.size, room > 0 { return nil }
        }
      }
    }
  }
}
