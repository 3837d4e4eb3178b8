#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Searches in the bytes of a JPEG whose time hangs on how many bytes there are, and not on what they are: the header of
/// a still is read on an event loop, and a still can consist of nothing but stuffed bytes.
extension UnsafeRawBufferPointer {
  /// Where entropy-coded data ends (ITU-T T.81, section B.1.1.5): at the next FF that is neither stuffed (FF 00), nor
  /// that of a restart marker, nor a fill byte; the end of the bytes where there is none.
  ///
  /// - Parameter hasRestarts: set where restart markers were passed over.
  func endOfCodedData(from start: Int, hasRestarts: inout Bool) -> Int {
    var offset = start
    while offset < count, let base = baseAddress {
      // Most pictures have an FF in some hundred bytes, and memchr looks at many bytes at once.
      guard let found = memchr(base + offset, 0xFF, count - offset) else { break }
      let next = UnsafeRawPointer(found) - base
      guard next + 1 < count else { break }
      switch self[next + 1] {
      case 0x00: offset = next + 2
      case 0xD0...0xD7:
        hasRestarts = true
        offset = next + 2
      case 0xFF: offset = next + 1
      default: return next
      }
      // Where the next FF is near, whole blocks are passed over that have no marker.
      while offset + 64 < count, holdsFF(near: offset), let restarts = passesBlock(at: offset) {
        hasRestarts = hasRestarts || restarts
        offset += 64
      }
    }
    return count
  }

  /// Whether one of the next 32 bytes is FF.
  private func holdsFF(near offset: Int) -> Bool {
    any(loadUnaligned(fromByteOffset: offset, as: SIMD32<UInt8>.self) .== 0xFF)
  }

  /// Whether there are restart markers in the next 64 bytes; `nil` where coded data may end there.
  private func passesBlock(at offset: Int) -> Bool? {
    var hasRestarts = false
    for half in [offset, offset + 32] {
      let isFF = loadUnaligned(fromByteOffset: half, as: SIMD32<UInt8>.self) .== 0xFF
      let code = loadUnaligned(fromByteOffset: half + 1, as: SIMD32<UInt8>.self)
      let isRestart = code & 0xF8 .== 0xD0
      guard !any(isFF .& .!(code .== 0x00 .| code .== 0xFF .| isRestart)) else { return nil }
      hasRestarts = hasRestarts || any(isFF .& isRestart)
    }
    return hasRestarts
  }

  /// The first position at or after `start` of a byte that is not FF; the end of the bytes where all are.
  func endOfFill(from start: Int) -> Int {
    var offset = start
    while offset + 8 <= count, loadUnaligned(fromByteOffset: offset, as: UInt64.self) == .max { offset += 8 }
    while offset < count, self[offset] == 0xFF { offset += 1 }
    return offset
  }
}
