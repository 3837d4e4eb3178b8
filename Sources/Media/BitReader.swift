/// Reads bits, the most significant of each byte first, with the codes of ITU-T H.264, section 9.1.
package struct BitReader {
  /// What is read.
  package let bytes: [UInt8]
  /// The next bit.
  package private(set) var position = 0

  /// A reader at the first bit.
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether more was read than there is; what is not there is zero.
  package var isOver: Bool { position > bytes.count * 8 }

  /// One bit.
  package mutating func flag() -> Bool { number(1) == 1 }

  /// A number of so many bits, at most 32.
  package mutating func number(_ count: Int) -> Int {
    var value = 0
    for _ in 0..<count {
      let byte = position / 8
      value = value << 1 | (byte < bytes.count ? Int(bytes[byte] >> (7 - position % 8) & 1) : 0)
      position += 1
    }
    return value
  }

  /// A number in exp-Golomb code, `ue(v)`.
  package mutating func unsigned() -> Int {
    var zeros = 0
    while zeros < 32, !isOver, number(1) == 0 { zeros += 1 }
    return (1 << zeros) - 1 + number(zeros)
  }

  /// A number with a sign in exp-Golomb code, `se(v)`.
  package mutating func signed() -> Int {
    let code = unsigned()
    return code % 2 == 1 ? (code + 1) / 2 : -(code / 2)
  }
}

/// Writes bits, the most significant of each byte first.
package struct BitWriter {
  /// What was written; the rest of the last byte is zero.
  package private(set) var bytes: [UInt8] = []
  /// Bits that are free in the last byte.
  private var free = 0

  /// A writer of nothing.
  package init() {}

  /// Whether the next bit begins a byte.
  package var isAligned: Bool { free == 0 }

  /// Writes one bit.
  package mutating func append(_ bit: Bool) {
    if free == 0 {
      bytes.append(0)
      free = 8
    }
    free -= 1
    if bit { bytes[bytes.count - 1] |= 1 << UInt8(free) }
  }

  /// Writes the lowest bits of a number, at most 32.
  package mutating func append(_ value: Int, bits count: Int) {
    for bit in (0..<count).reversed() { append(value >> bit & 1 == 1) }
  }

  /// Writes a number with a sign in exp-Golomb code, `se(v)`.
  package mutating func append(signed value: Int) { append(unsigned: value > 0 ? 2 * value - 1 : -2 * value) }

  /// Writes a number in exp-Golomb code, `ue(v)`.
  package mutating func append(unsigned value: Int) {
    let width = Int.bitWidth - (value + 1).leadingZeroBitCount
    for _ in 1..<width { append(false) }
    for bit in (0..<width).reversed() { append((value + 1) >> bit & 1 == 1) }
  }

  /// Writes a range of another row's bits.
  package mutating func append(_ source: [UInt8], _ range: Range<Int>) {
    bytes.reserveCapacity(bytes.count + range.count / 8 + 2)
    var position = range.lowerBound
    // Byte by byte where that is possible: whole pictures are moved.
    while position + 8 <= range.upperBound {
      let (byte, shift) = (position / 8, position % 8)
      let value = shift == 0 ? source[byte] : source[byte] << UInt8(shift) | source[byte + 1] >> UInt8(8 - shift)
      if free == 0 {
        bytes.append(value)
      } else {
        bytes[bytes.count - 1] |= value >> UInt8(8 - free)
        bytes.append(value << UInt8(free))
      }
      position += 8
    }
    while position < range.upperBound {
      append(source[position / 8] >> UInt8(7 - position % 8) & 1 == 1)
      position += 1
    }
  }
}
