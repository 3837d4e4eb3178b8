import Media
import Picture

/// A still that carries its own time as big black and white blocks, to be read back from any screen, however coarsely
/// it was encoded: 24 bits of milliseconds and 8 bits of checksum in rows of eight.
package struct TimePattern: Sendable {
  private static let columns = 8
  private static let rows = 4

  /// The range of times, in milliseconds: they repeat after some four and a half hours.
  package static let period: UInt32 = 1 << 24

  /// The picture of `milliseconds` modulo the period.
  ///
  /// - Throws: if there is no memory for it.
  package static func paint(_ milliseconds: UInt32, size: PictureSize) throws -> Frame {
    let value = milliseconds % period
    let word = value << 8 | UInt32(checksum(value))
    var rgb = [UInt8](repeating: 0, count: 3 * size.pixels)
    for y in 0..<size.height {
      for x in 0..<size.width {
        let bit = y * rows / size.height * columns + x * columns / size.width
        let level: UInt8 = word >> UInt32(31 - bit) & 1 == 1 ? 225 : 30
        let at = 3 * (y * size.width + x)
        (rgb[at], rgb[at + 1], rgb[at + 2]) = (level, level, level)
      }
    }
    return try Frame.rgb(rgb, size: size)
  }

  /// The time in a picture whose first plane is luma; `nil` if the blocks are not clear or the checksum is wrong.
  package static func read(_ picture: borrowing Frame) -> UInt32? {
    picture.withPlane(0) { luma in
      var word: UInt32 = 0
      for row in 0..<rows {
        for column in 0..<columns {
          let (left, top) = (luma.width * (4 * column + 1) / (4 * columns), luma.height * (4 * row + 1) / (4 * rows))
          let (right, bottom) = (
            luma.width * (4 * column + 3) / (4 * columns), luma.height * (4 * row + 3) / (4 * rows)
          )
          var (sum, count) = (0, 0)
          for y in stride(from: top, to: bottom, by: 4) {
            let samples = luma.row(y)
            for x in stride(from: left, to: right, by: 4) {
              sum += Int(samples[x])
              count += 1
            }
          }
          guard count > 0 else { return nil }
          let mean = sum / count
          guard mean < 100 || mean > 155 else { return nil }
          word = word << 1 | (mean > 128 ? 1 : 0)
        }
      }
      return UInt8(word & 0xFF) == checksum(word >> 8) ? word >> 8 : nil
    }
  }

  /// Milliseconds from `time` to `now`, modulo the period.
  package static func age(of time: UInt32, now: UInt32) -> Int { Int((now &- time) % period) }

  /// CRC-8 (polynomial 0x07) that starts with ones, so that a black picture is not a time.
  private static func checksum(_ value: UInt32) -> UInt8 {
    var crc: UInt8 = 0xFF
    for shift: UInt32 in [16, 8, 0] {
      crc ^= UInt8(value >> shift & 0xFF)
      for _ in 0..<8 { crc = crc & 0x80 != 0 ? crc << 1 ^ 0x07 : crc << 1 }
    }
    return crc
  }
}
