/// Reads big-endian numbers from the start of a run of bytes; every result is `nil` instead of going past the end.
struct ByteReader {
  private(set) var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }
  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var count: Int { rest.count }

  /// A number of `width` bytes, at most eight.
  mutating func number(_ width: Int) -> UInt64? {
    guard (1...8).contains(width), rest.count >= width else { return nil }
    let value = rest.prefix(width).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    rest = rest.dropFirst(width)
    return value
  }

  mutating func byte() -> UInt8? {
    guard let first = rest.first else { return nil }
    rest = rest.dropFirst()
    return first
  }

  /// This many bytes, or none at all.
  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  /// Skips this many bytes; `nil` if there are fewer.
  mutating func skip(_ count: Int) -> Void? { take(count) == nil ? nil : () }
}

/// Reads bits from the start of an H.264 RBSP (ITU-T H.264, section 7.2), without its emulation prevention bytes.
struct BitReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func bit() -> Int? {
    guard position < bytes.count * 8 else { return nil }
    defer { position += 1 }
    return Int(bytes[position >> 3] >> (7 - UInt8(position & 7))) & 1
  }

  /// Up to 32 bits as a number.
  mutating func bits(_ count: Int) -> Int? {
    guard (0...32).contains(count), bytes.count * 8 - position >= count else { return nil }
    var value = 0
    for _ in 0..<count { value = value << 1 | (bit() ?? 0) }
    return value
  }

  /// An Exp-Golomb number below 2^31 (section 9.1).
  mutating func unsigned() -> Int? {
    var zeros = 0
    while let bit = bit() {
      if bit == 1 {
        guard let low = bits(zeros) else { return nil }
        return (1 << zeros) - 1 + low
      }
      zeros += 1
      guard zeros < 32 else { return nil }
    }
    return nil
  }

  /// A signed Exp-Golomb number (section 9.1.1).
  mutating func signed() -> Int? {
    guard let code = unsigned() else { return nil }
    return code & 1 == 1 ? (code + 1) / 2 : -(code / 2)
  }
}
