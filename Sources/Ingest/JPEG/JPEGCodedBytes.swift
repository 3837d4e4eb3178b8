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
      passWords(&offset, &hasRestarts)
    }
    return count
  }

  /// Passes over eight bytes at a time as long as an FF comes often and coded data does not end.
  private func passWords(_ offset: inout Int, _ hasRestarts: inout Bool) {
    var withoutFF = 0
    while withoutFF < 8, offset + 9 <= count {
      let isFF = Self.zeros(~loadUnaligned(fromByteOffset: offset, as: UInt64.self))
      if isFF == 0 {
        withoutFF += 1
      } else {
        let code = loadUnaligned(fromByteOffset: offset + 1, as: UInt64.self)
        let isRestart = Self.zeros(code & 0xF8F8_F8F8_F8F8_F8F8 ^ 0xD0D0_D0D0_D0D0_D0D0)
        guard isFF & ~(Self.zeros(code) | Self.zeros(~code) | isRestart) == 0 else { return }
        if isFF & isRestart != 0 { hasRestarts = true }
        withoutFF = 0
      }
      offset += 8
    }
  }

  /// The highest bit of each byte that is zero.
  private static func zeros(_ word: UInt64) -> UInt64 {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    return ~((word & low) &+ low | word | low)
  }

  /// The first position at or after `start` of a byte that is not FF; the end of the bytes where all are.
  func endOfFill(from start: Int) -> Int {
    var offset = start
    while offset + 8 <= count, loadUnaligned(fromByteOffset: offset, as: UInt64.self) == .max { offset += 8 }
    while offset < count, self[offset] == 0xFF { offset += 1 }
    return offset
  }
}
