/// A picture of 8-bit red, green and blue: rows top to bottom, 3 bytes a pixel, no padding between rows.
///
/// The values are sRGB-encoded and full range (0...255), as a JPEG encoder takes them.
package struct PixelCanvas: Sendable, Equatable {
  /// Pixels in a row.
  package let width: Int

  /// Rows.
  package let height: Int

  /// `width * height * 3` bytes.
  package var rgb: [UInt8]

  /// A black picture; both sides must be at least 1.
  package init(width: Int, height: Int) {
    precondition(width > 0 && height > 0, "a canvas of \(width)x\(height) has no pixel; give it at least 1x1")
    self.width = width
    self.height = height
    rgb = [UInt8](repeating: 0, count: width * height * 3)
  }

  /// Red, green and blue of one pixel; column and row count from the upper left corner.
  package subscript(x: Int, y: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    let at = (y * width + x) * 3
    return (rgb[at], rgb[at + 1], rgb[at + 2])
  }

  /// Mean luma (Rec. 601 weights, as in JPEG) of all pixels, 0...255.
  package var meanLuma: Double {
    var sum = 0
    var at = 0
    rgb.withUnsafeBufferPointer { bytes in
      while at < bytes.count {
        sum += 299 * Int(bytes[at]) + 587 * Int(bytes[at + 1]) + 114 * Int(bytes[at + 2])
        at += 3
      }
    }
    return Double(sum) / 1000 / Double(width * height)
  }
}
