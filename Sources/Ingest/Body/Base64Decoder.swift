/// Decodes base64 byte by byte, both alphabets (RFC 4648, sections 4 and 5); white space is ignored.
struct Base64Decoder: Sendable {
  private var bits: UInt32 = 0
  private var count = 0
  private var isPadded = false
  /// Whether an invalid byte came.
  private(set) var isDamaged = false

  /// Takes the next character and passes on the byte that it completes.
  mutating func decode(_ character: UInt8) -> UInt8? {
    let value: UInt8
    switch character {
    case 0x41...0x5A: value = character - 0x41
    case 0x61...0x7A: value = character - 0x61 + 26
    case 0x30...0x39: value = character - 0x30 + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
    case 0x20, 0x09, 0x0A, 0x0D: return nil
    case UInt8(ascii: "="):
      isPadded = true
      return nil
    default:
      isDamaged = true
      return nil
    }
    if isPadded { isDamaged = true }
    bits = bits << 6 | UInt32(value)
    count += 6
    guard count >= 8 else { return nil }
    count -= 8
    return UInt8(truncatingIfNeeded: bits >> UInt32(count))
  }
}
