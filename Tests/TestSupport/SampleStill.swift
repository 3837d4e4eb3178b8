import Media
import NIOCore
import Picture

/// JPEGs that tests push.
package enum SampleStill {
  /// A still of one brightness.
  ///
  /// - Parameters:
  ///   - gray: 0 (black) to 255.
  ///   - isStriped: whether vertical stripes stand around that brightness, which a scaled or blurred picture loses.
  ///   - quality: of the JPEG, 1 to 100.
  package static func gray(
    _ gray: Int, size: PictureSize = PictureSize(width: 160, height: 120), isStriped: Bool = false, quality: Int = 80
  ) throws -> ByteBuffer {
    let row = (0..<3 * size.width).map {
      isStriped ? UInt8(clamping: gray + ($0 / 9 % 2) * 40 - 20) : UInt8(clamping: gray)
    }
    let pixels = Array([[UInt8]](repeating: row, count: size.height).joined())
    var encoder = JPEGEncoder(quality: quality)
    return try encoder.encode(try Frame.rgb(pixels, size: size))
  }
}
