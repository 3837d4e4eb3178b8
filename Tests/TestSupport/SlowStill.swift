import Media
import NIOCore

/// A small progressive JPEG that takes long to decode: nothing but its last coefficient is there, and scan after scan
/// refines it, each of which has the decoder look at every coefficient of every block (ITU-T T.81, section G.1.2.3).
package enum SlowStill {
  /// Bits, high ones first, with the stuffing of coded data.
  private struct Bits {
    var bytes: [UInt8] = []
    private var byte: UInt8 = 0
    private var free = 8

    mutating func add(_ value: Int, _ count: Int) {
      for shift in (0..<count).reversed() {
        free -= 1
        byte |= UInt8(value >> shift & 1) << UInt8(free)
        if free == 0 { flush() }
      }
    }

    /// Fills the last byte with ones.
    mutating func end() { while free < 8 { add(1, 1) } }

    private mutating func flush() {
      bytes.append(byte)
      if byte == 0xFF { bytes.append(0) }
      (byte, free) = (0, 8)
    }
  }

  /// A gray picture with this many scans, 3 to 100.
  package static func make(size: PictureSize, scans: Int) -> ByteBuffer {
    let blocks = ((size.width + 7) / 8) * ((size.height + 7) / 8)
    var jpeg = ByteBuffer(bytes: [0xFF, 0xD8])
    add(0xDB, [0] + [UInt8](repeating: 1, count: 64), to: &jpeg)
    let (high, wide) = (size.height, size.width)
    add(
      0xC2, [8, UInt8(high >> 8), UInt8(high & 255), UInt8(wide >> 8), UInt8(wide & 255), 1, 1, 0x11, 0], to: &jpeg)
    // One code of one bit; then codes of five bits: the ends of bands in runs, sixteen zeros, fourteen and a one.
    add(0xC4, [0, 1] + [UInt8](repeating: 0, count: 15) + [0], to: &jpeg)
    let symbols = (0...14).map { UInt8($0 << 4) } + [0xF0, 0xE1]
    add(0xC4, [0x10, 0, 0, 0, 0, UInt8(symbols.count)] + [UInt8](repeating: 0, count: 11) + symbols, to: &jpeg)
    var coarse = Bits()
    for _ in 0..<blocks { coarse.add(0, 1) }
    coarse.end()
    add(scan: [1, 1, 0, 0, 0, 0], coarse, to: &jpeg)
    var last = Bits()
    for _ in 0..<blocks {
      for _ in 0..<3 { last.add(15, 5) }
      last.add(16, 5)
      last.add(1, 1)
    }
    last.end()
    add(scan: [1, 1, 0, 1, 63, 0x01], last, to: &jpeg)
    var fine = Bits()
    var left = blocks
    while left > 0 {
      let run = min(left, 32_767)
      let power = run.bitWidth - 1 - run.leadingZeroBitCount
      fine.add(power, 5)
      fine.add(run - 1 << power, power)
      for _ in 0..<run { fine.add(0, 1) }
      left -= run
    }
    fine.end()
    for _ in 2..<scans { add(scan: [1, 1, 0, 1, 63, 0x10], fine, to: &jpeg) }
    jpeg.writeBytes([0xFF, 0xD9])
    return jpeg
  }

  private static func add(scan header: [UInt8], _ bits: Bits, to jpeg: inout ByteBuffer) {
    add(0xDA, header, to: &jpeg)
    jpeg.writeBytes(bits.bytes)
  }

  private static func add(_ marker: UInt8, _ payload: [UInt8], to jpeg: inout ByteBuffer) {
    jpeg.writeBytes([0xFF, marker])
    jpeg.writeInteger(UInt16(payload.count + 2))
    jpeg.writeBytes(payload)
  }
}
