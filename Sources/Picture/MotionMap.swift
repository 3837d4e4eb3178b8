import CFFmpeg
import Glibc
import Media

/// Knows from the stills so far which macroblocks of a camera's picture tend to stay unchanged.
///
/// Bits spent on a macroblock that stays serve all pictures until the next IDR picture; bits spent where people walk
/// serve one. x264 does this (`mbtree`) if it knows the following pictures. A live stream does not have them, but what
/// did not move so far usually continues not to move.
struct MotionMap: ~Copyable {
  private typealias Difference =
    @convention(c) (
      UnsafePointer<UInt8>?, Int, UnsafePointer<UInt8>?, Int
    ) -> Int32

  /// Differences up to this many levels on average are noise.
  private static let noise: Float = 1
  /// The weight of one still against those before it.
  private static let weight: Float = 0.5
  /// Quantizer steps for each doubling of the pictures that a macroblock serves.
  private static let strength: Float = 2

  /// How many macroblocks a row of the picture has.
  static func columns(of size: PictureSize) -> Int { (size.width + 15) / 16 }

  private let columns: Int
  private let rows: Int
  private let size: PictureSize
  private let difference8: Difference
  /// The share of each macroblock that the previous picture predicts: over time, and in the newest still.
  private var usual: [Float]
  private var newest: [Float]
  private var previous: Optional<Frame>

  /// `nil` if this libavutil cannot compare blocks.
  init?(size: PictureSize) {
    guard let difference8 = av_pixelutils_get_sad_fn(3, 3, 0, nil) else { return nil }
    self.size = size
    self.difference8 = difference8
    columns = Self.columns(of: size)
    rows = (size.height + 15) / 16
    usual = [Float](repeating: 0.9, count: columns * rows)
    newest = usual
    previous = nil
  }

  /// How much of the newest still the one before predicts: 1 for a scene at rest, near 0 for another scene.
  var share: Float { newest.reduce(0, +) / Float(newest.count) }

  /// Takes the next picture; the same picture again changes nothing.
  ///
  /// - Returns: whether another one was shown before.
  @discardableResult mutating func observe(_ picture: borrowing Frame) throws(FFmpegError) -> Bool {
    guard let previous = previous.take() else {
      previous = try picture.shared()
      return false
    }
    let (now, before) = (picture.pointer.pointee, previous.pointer.pointee)
    self.previous = try picture.shared()
    guard let current = now.data.0, let last = before.data.0, current != last else { return false }
    let (stride, lastStride) = (Int(now.linesize.0), Int(before.linesize.0))
    let flat = UnsafeMutablePointer<UInt8>.allocate(capacity: 8)
    defer { flat.deallocate() }
    for row in 0..<rows {
      for column in 0..<columns {
        var (inter, intra): (Float, Float) = (0, 0)
        for block in 0..<4 {
          let x = min(column * 16 + block % 2 * 8, size.width - 8)
          let y = min(row * 16 + block / 2 * 8, size.height - 8)
          let here = UnsafePointer(current + y * stride + x)
          let change = Float(difference8(here, stride, last + y * lastStride + x, lastStride)) / 64
          inter += max(0, change - Self.noise)
          flat.update(repeating: 0, count: 8)
          let sum = difference8(here, stride, flat, 0)
          flat.update(repeating: UInt8(clamping: (sum + 32) / 64), count: 8)
          intra += Float(difference8(here, stride, flat, 0)) / 64
        }
        let at = row * columns + column
        newest[at] = max(0, 1 - inter / (intra + 1))
        usual[at] += Self.weight * (newest[at] - usual[at])
      }
    }
    return true
  }

  /// The quantizer of each macroblock minus the usual one, in half steps, row by row.
  ///
  /// - Parameter remaining: the stills that are expected before the next IDR picture.
  func offsets(remaining: Int) -> [Int32] {
    zip(usual, newest).map { usual, newest in
      let share = min(usual, newest, 0.98)
      // The sum of the geometric series: how many more pictures this macroblock is expected to serve.
      let served = share * (1 - powf(share, Float(remaining))) / (1 - share)
      return Int32((2 * Self.strength * (2 - log2f(1 + served))).rounded())
    }
  }
}
