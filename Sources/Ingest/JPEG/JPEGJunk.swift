#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// Bytes between the segments of a JPEG that belong to none: a comment with a wrong length, the rest of a buffer.
///
/// Decoders pass over them, and so does the walk, up to a bound. It does not where they may be what is left of a segment
/// that the picture needs: behind a table that ends too late because a byte of it was lost.
struct JPEGJunk {
  /// The most of such bytes in one picture: as many as a comment can have.
  private static let mostBytes = 65_536

  private var count = 0
  /// The tables (class and number) that the picture brings along.
  private var huffman: Set<UInt8> = []
  private var hasRestartInterval = false
  /// Whether a restart marker stands in coded data.
  var hasRestarts = false

  /// Whether there were any.
  var isThere: Bool { count > 0 }

  /// Where the junk at `start` ends, at the next marker or at the end of the bytes; `nil` where it is too much, or where
  /// it may belong to the segment before it.
  mutating func end(
    in bytes: UnsafeRawBufferPointer, at start: Int, behind segment: (marker: UInt8, payload: Range<Int>)?
  ) -> Int? {
    if let segment, Self.isNeeded(segment.marker), Self.swallows(bytes, segment.payload) { return nil }
    var offset = start
    while offset < bytes.count, count + offset - start <= Self.mostBytes, let base = bytes.baseAddress {
      guard let found = memchr(base + offset, 0xFF, bytes.count - offset) else {
        offset = bytes.count
        break
      }
      offset = UnsafeRawPointer(found) - base
      let code = bytes.endOfFill(from: offset)
      guard code < bytes.count, bytes[code] == 0 else { break }
      offset = code + 1
    }
    count += offset - start
    return count <= Self.mostBytes ? offset : nil
  }

  /// Notes a segment that the decoder goes by.
  mutating func note(_ marker: UInt8, _ payload: UnsafeRawBufferPointer) {
    if marker == 0xDD { hasRestartInterval = true }
    guard marker == 0xC4 else { return }
    var rest = payload[...]
    while rest.count >= 17, let head = rest.first {
      huffman.insert(head)
      rest = rest.dropFirst(17 + rest.dropFirst().prefix(16).reduce(0) { $0 + Int($1) })
    }
  }

  /// Whether Huffman tables came along at all.
  var hasTables: Bool { !huffman.isEmpty }

  /// Whether a scan's table, DC or AC, is there.
  func hasTable(_ number: UInt8, isAC: Bool) -> Bool { huffman.contains(isAC ? 0x10 | number : number) }

  /// Whether a restart interval must have been lost.
  var lacksRestartInterval: Bool { hasRestarts && !hasRestartInterval }

  private static func isNeeded(_ marker: UInt8) -> Bool { marker < 0xE0 }

  /// Whether a segment holds the marker of another one, or ends with its first byte.
  private static func swallows(_ bytes: UnsafeRawBufferPointer, _ payload: Range<Int>) -> Bool {
    payload.contains { at in
      guard bytes[at] == 0xFF, at + 1 < bytes.count else { return false }
      return switch bytes[at + 1] {
      case 0xC0...0xC4, 0xDA, 0xDB, 0xDD: true
      default: false
      }
    }
  }
}
