/// The digital clock on the desk: HH:MM:SS in seven-segment digits behind dark glass.
///
/// Places are metres right and up from the middle of its face.
struct SegmentDisplay {
  /// Half the size of its case.
  static let half = Vector3(0.160, 0.050, 0.030)

  /// Room for a digit and for a colon.
  static let pitch: Float = 0.0425
  static let colon: Float = 0.0200
  /// Half the width and half the height of a digit, and how far it leans per metre of height.
  static let wide: Float = 0.0135
  static let tall: Float = 0.0265
  static let lean: Float = 0.06
  private static let stroke: Float = 0.0040

  /// Lit segments of the ten digits; bit 0 is the top bar, then clockwise, bit 6 the middle bar.
  static let patterns: [UInt8] = [0x3F, 0x06, 0x5B, 0x4F, 0x66, 0x6D, 0x7D, 0x07, 0x7F, 0x6F]

  /// Segments of the six digits.
  private let digits: [UInt8]

  init(millisecondsOfDay: Int64) {
    let seconds = Int(millisecondsOfDay / 1000)
    let pairs = [seconds / 3600, seconds / 60 % 60, seconds % 60]
    digits = pairs.flatMap { [SegmentDisplay.patterns[$0 / 10 % 10], SegmentDisplay.patterns[$0 % 10]] }
  }

  /// Brightness of a place on the face: 1 in a lit segment, a faint glow around it.
  func brightness(_ x: Float, _ y: Float, pixel: Float) -> Float {
    guard abs(y) < SegmentDisplay.tall + 0.014 else { return 0 }
    let pair = 2 * SegmentDisplay.pitch + SegmentDisplay.colon
    let start = -(3 * pair - SegmentDisplay.colon) / 2
    // Most such displays are slanted.
    let place = x - SegmentDisplay.lean * y - start
    var nearest: Float = 1
    for group in 0..<3 {
      let offset = place - Float(group) * pair
      for digit in 0..<2 {
        let dx = offset - SegmentDisplay.pitch * (Float(digit) + 0.5)
        if abs(dx) < SegmentDisplay.pitch { nearest = min(nearest, distance(digits[group * 2 + digit], dx, y)) }
      }
      let dot = offset + SegmentDisplay.colon / 2
      if group > 0, abs(dot) < 0.03 {
        let dy = abs(y) - 0.011
        nearest = min(nearest, (dot * dot + dy * dy).squareRoot() - 0.0008)
      }
    }
    let inside = ((SegmentDisplay.stroke - nearest) / pixel + 0.5).clamped
    let halo = max(0, 1 - max(0, nearest - SegmentDisplay.stroke) / 0.013)
    return max(inside, 0.10 * halo * halo)
  }

  /// Distance to the middle line of the nearest lit segment.
  private func distance(_ segments: UInt8, _ x: Float, _ y: Float) -> Float {
    let (w, h) = (SegmentDisplay.wide, SegmentDisplay.tall)
    let gap: Float = 0.0052
    var nearest: Float = 1
    func bar(_ level: Float) -> Float {
      let dx = max(0, abs(x) - w + gap)
      return (dx * dx + (y - level) * (y - level)).squareRoot()
    }
    func post(_ side: Float, _ middle: Float) -> Float {
      let dy = max(0, abs(y - middle) - h / 2 + gap)
      return ((x - side) * (x - side) + dy * dy).squareRoot()
    }
    if segments & 0x01 != 0 { nearest = min(nearest, bar(h)) }
    if segments & 0x02 != 0 { nearest = min(nearest, post(w, h / 2)) }
    if segments & 0x04 != 0 { nearest = min(nearest, post(w, -h / 2)) }
    if segments & 0x08 != 0 { nearest = min(nearest, bar(-h)) }
    if segments & 0x10 != 0 { nearest = min(nearest, post(-w, -h / 2)) }
    if segments & 0x20 != 0 { nearest = min(nearest, post(-w, h / 2)) }
    if segments & 0x40 != 0 { nearest = min(nearest, bar(0)) }
    return nearest
  }
}
