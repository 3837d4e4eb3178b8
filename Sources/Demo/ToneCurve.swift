import Glibc

/// From scene light to sRGB code values: a soft shoulder that compresses highlights instead of clipping them, then the
/// sRGB transfer function (IEC 61966-2-1), in one table.
struct ToneCurve: Sendable {
  private static let entries = 8192
  private let table: [Float]

  init() {
    table = (0...ToneCurve.entries).map { index in
      // The table runs over x / (1 + x), so that one table reaches from black to infinity.
      let share = min(Float(index) / Float(ToneCurve.entries), 0.9995)
      let light = share / (1 - share)
      // Hable-like rational curve with a gentle toe (after Narkowicz's fit of ACES).
      let toned = min(1, light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14))
      let coded = toned <= 0.003_130_8 ? 12.92 * toned : 1.055 * powf(toned, 1 / 2.4) - 0.055
      return coded * 255
    }
  }

  /// Runs `body` with the table's storage, for inner loops.
  func withTable<R>(_ body: (UnsafePointer<Float>) -> R) -> R {
    table.withUnsafeBufferPointer { body($0.baseAddress!) }
  }

  /// The code value, 0...255 and not rounded, of a light of 0 or more.
  static func code(_ light: Float, _ table: UnsafePointer<Float>) -> Float {
    let place = light / (1 + light) * Float(entries)
    let index = Int(place)
    let low = table[index]
    return low + (table[index + 1] - low) * (place - Float(index))
  }
}
