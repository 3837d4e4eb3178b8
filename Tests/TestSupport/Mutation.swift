/// Damages bytes as networks, cameras and attackers do.
package struct Mutation: Sendable {
  /// Byte sequences that mean something in the format, and so get to where others do not.
  package let tokens: [[UInt8]]
  /// Half of all damage falls into so many bytes at the front, where the headers are.
  package let front: Int

  /// Damage with these tokens.
  package init(tokens: [[UInt8]], front: Int) {
    self.tokens = tokens
    self.front = front
  }

  /// For JPEG: markers, lengths and bytes at the ends of their ranges.
  package static let jpeg = Mutation(
    tokens: [
      [0x00], [0xFF], [0x7F], [0x80], [0x01], [0x11], [0x21], [0x12], [0x22], [0x41], [0xFF, 0xFF], [0x00, 0x00],
      [0xFF, 0xD8], [0xFF, 0xD9], [0xFF, 0xDA], [0xFF, 0xC0], [0xFF, 0xC1], [0xFF, 0xC2], [0xFF, 0xC4], [0xFF, 0xDB],
      [0xFF, 0xDD], [0xFF, 0xDD, 0x00, 0x04, 0x00, 0x01], [0xFF, 0xE0], [0xFF, 0xE1], [0xFF, 0xEE], [0xFF, 0xFE],
      [0xFF, 0xD0], [0xFF, 0xD7], [0xFF, 0x00], [0x00, 0x02], [0xFF, 0xD8, 0xFF],
    ], front: 700)

  /// Damages `bytes` in one to `most` places; pieces of `other` may get in.
  package func applied(
    to bytes: [UInt8], mixing other: [UInt8], most: Int, using random: inout SeededGenerator
  ) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<Int.random(in: 1...most, using: &random) {
      let reach = Bool.random(using: &random) ? min(bytes.count, front) : bytes.count
      guard reach > 0 else { return bytes }
      let at = Int.random(in: 0..<reach, using: &random)
      switch Int.random(in: 0..<11, using: &random) {
      case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 2: bytes[at] &+= Bool.random(using: &random) ? 1 : 255
      case 3: bytes.remove(at: at)
      case 4: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
      case 5: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1..<64, using: &random)))
      case 6: bytes.removeSubrange(at...)
      case 7: bytes.insert(contentsOf: tokens.randomElement(using: &random) ?? [], at: at)
      case 8:
        let token = tokens.randomElement(using: &random) ?? []
        bytes.replaceSubrange(at..<min(bytes.count, at + token.count), with: token)
      case 9 where !other.isEmpty:
        let from = Int.random(in: 0..<other.count, using: &random)
        bytes.insert(contentsOf: other[from..<min(other.count, from + Int.random(in: 1..<200, using: &random))], at: at)
      default:
        let end = min(bytes.count, at + Int.random(in: 1..<300, using: &random))
        bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &random))
      }
    }
    return bytes
  }
}
