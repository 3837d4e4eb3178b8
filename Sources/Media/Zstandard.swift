import CZstd
import NIOCore

extension ByteBuffer {
  /// The level for a playlist with the one before it as dictionary: 0.1 milliseconds. Lower levels give a tenth more
  /// bytes, higher ones the same.
  private static let zstandardLevel: Int32 = 15

  /// The readable bytes as one Zstandard frame (RFC 8878) that refers to a dictionary of raw content, without a
  /// checksum, the length or an identifier of the dictionary: the receiver must know it. Equal bytes give equal results.
  ///
  /// - Parameter dictionary: must not begin with the magic number of a trained dictionary, which no text does.
  package func zstandard(dictionary: ByteBuffer) -> ByteBuffer {
    guard let context = ZSTD_createCCtx() else { preconditionFailure("zstd has no memory") }
    defer { ZSTD_freeCCtx(context) }
    func check(_ result: Int) {
      precondition(ZSTD_isError(result) == 0, "zstd: \(String(cString: ZSTD_getErrorName(result)))")
    }
    check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.zstandardLevel))
    for parameter in [ZSTD_c_contentSizeFlag, ZSTD_c_checksumFlag, ZSTD_c_dictIDFlag] {
      check(ZSTD_CCtx_setParameter(context, parameter, 0))
    }
    var output = ByteBuffer()
    withUnsafeReadableBytes { input in
      dictionary.withUnsafeReadableBytes { prefix in
        // It is used in place, and only by the next frame.
        check(ZSTD_CCtx_refPrefix(context, prefix.baseAddress, prefix.count))
        _ = output.writeWithUnsafeMutableBytes(minimumWritableBytes: ZSTD_compressBound(input.count)) { room in
          let size = ZSTD_compress2(context, room.baseAddress, room.count, input.baseAddress, input.count)
          check(size)
          return size
        }
      }
    }
    return output
  }
}
