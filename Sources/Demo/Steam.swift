import Glibc

/// The steam over the mug: a few slow wisps that rise, sway and fade.
struct Steam {
  /// How high it rises above the rim, metres.
  static let height: Float = 0.26
  /// How far to the sides it ever is.
  static let reach: Float = 0.075

  private let rise: Float
  private let noise: ValueNoise
  private let time: Float

  init(millisecondsOfDay: Int64, noise: ValueNoise) {
    // The pattern moves up 3.1 cm a second and starts again each hour, which keeps the numbers small.
    time = Float(millisecondsOfDay % 3_600_000) / 1000
    rise = time * 0.031
    self.noise = noise
  }

  /// How much of the background is covered at a place, metres right of and above the middle of the rim.
  func veil(_ x: Float, _ y: Float) -> Float {
    let level = y / Steam.height
    guard level > 0, level < 1 else { return 0 }
    var sum: Float = 0
    for wisp in 0..<3 {
      let lane = Float(wisp) * 11.7
      let bend = noise.value((y - rise) * 13, lane + time * 0.02) - 0.5
      let sway = noise.value((y - rise) * 29, lane + 5) - 0.5
      let home = 0.014 * (Float(wisp) - 1) * (1 + level)
      let middle = home + level * (0.085 * bend + 0.03 * sway)
      let wide = 0.0055 + 0.019 * level
      let off = (x - middle) / wide
      let puff = noise.value((y - rise) * 17, lane + 2.5).smoothed(from: 0.15, to: 0.8)
      sum += expf(-off * off) * puff
    }
    let fade = level.smoothed(from: 0, to: 0.12) * (1 - level) * (1 - level)
    let edge = (abs(x) / Steam.reach).smoothed(from: 1, to: 0.7)
    return (0.34 * sum * fade * edge).clamped
  }
}
