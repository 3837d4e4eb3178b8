import Glibc

/// The noise of a cheap CMOS sensor, added to one still: strongest in the dark, mostly luma, a little chroma.
///
/// The luma part is white noise with the slight low-pass that demosaicing leaves behind; the chroma part is shared by
/// blocks of 2x2 pixels. Stills are independent of one another: the generator starts from seed and frame number.
struct FilmGrain: Sendable {
  private static let entries = 4096
  /// Share of the left and of the upper neighbour in a pixel's noise: demosaicing mixes neighbours.
  private static let spill: Float = 0.28
  /// Chroma noise as a share of luma noise, for red and for blue.
  private static let chroma: Float = 0.36

  /// Normal deviates at equally likely steps, looked up with random bits.
  private let deviates: [Float]
  private let seed: UInt64

  init(seed: UInt64) {
    self.seed = seed
    // Mixing in neighbours raises sigma by the root of the sum of the squared taps; the table makes up for it.
    let gain = 1 / (1 + 2 * FilmGrain.spill * FilmGrain.spill).squareRoot()
    deviates = (0..<FilmGrain.entries).map { index in
      FilmGrain.normal(quantile: (Float(index) + 0.5) / Float(FilmGrain.entries)) * gain
    }
  }

  /// Standard deviation of the luma noise on a flat grey of this code value (0...255), in code values.
  static func sigma(level: Float) -> Float {
    let shade = 1 - (level * (1 / 255)).clamped
    return 1.7 + 1.7 * shade + 1.1 * shade * shade * shade
  }

  /// Adds the noise of still number `frame` to unrounded code values (red, green, blue by turns) and rounds them into
  /// `bytes`; both hold `width * height * 3` values.
  func develop(
    _ codes: UnsafePointer<Float>, width: Int, height: Int, frame: Int, into bytes: UnsafeMutablePointer<UInt8>
  ) {
    var state = seed &+ UInt64(bitPattern: Int64(frame)) &* 0xD129_0D3C_5F8B_41A7
    state = FilmGrain.next(&state)
    // The row above the first one and the column left of it have noise too.
    var above = [Float](repeating: 0, count: width)
    var red = above
    var blue = above
    for x in 0..<width { above[x] = deviates[Int(FilmGrain.next(&state) >> 52)] }
    deviates.withUnsafeBufferPointer { deviates in
      above.withUnsafeMutableBufferPointer { above in
        red.withUnsafeMutableBufferPointer { red in
          blue.withUnsafeMutableBufferPointer { blue in
            for y in 0..<height {
              if y % 2 == 0 { FilmGrain.refill(red, blue, deviates, &state) }
              var left = deviates[Int(FilmGrain.next(&state) >> 52)]
              for x in 0..<width {
                let at = (y * width + x) * 3
                let level = 0.3 * codes[at] + 0.59 * codes[at + 1] + 0.11 * codes[at + 2]
                let sigma = FilmGrain.sigma(level: level)
                let fresh = deviates[Int(FilmGrain.next(&state) >> 52)]
                let luma = (fresh + FilmGrain.spill * (left + above[x])) * sigma
                left = fresh
                above[x] = fresh
                let tint = FilmGrain.chroma * sigma
                bytes[at] = FilmGrain.rounded(codes[at] + luma + tint * red[x])
                // Green gives way so that the chroma part leaves the luma alone.
                bytes[at + 1] = FilmGrain.rounded(codes[at + 1] + luma - tint * (0.51 * red[x] + 0.19 * blue[x]))
                bytes[at + 2] = FilmGrain.rounded(codes[at + 2] + luma + tint * blue[x])
              }
            }
          }
        }
      }
    }
  }

  private static func refill(
    _ red: UnsafeMutableBufferPointer<Float>, _ blue: UnsafeMutableBufferPointer<Float>,
    _ deviates: UnsafeBufferPointer<Float>, _ state: inout UInt64
  ) {
    for x in 0..<red.count {
      if x % 2 == 0 {
        let bits = next(&state)
        red[x] = deviates[Int(bits >> 52)]
        blue[x] = deviates[Int(bits & 0xFFF)]
      } else {
        red[x] = red[x - 1]
        blue[x] = blue[x - 1]
      }
    }
  }

  /// Rounds to the nearest code value.
  static func rounded(_ code: Float) -> UInt8 { UInt8((code + 0.5).atLeast(0).atMost(255)) }

  /// SplitMix64 (Steele, Lea and Flood, 2014): the next 64 random bits.
  static func next(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// Inverse of the normal distribution, good to 4.5e-4 (Abramowitz and Stegun, 26.2.23).
  private static func normal(quantile: Float) -> Float {
    let tail = min(quantile, 1 - quantile)
    let t = (-2 * logf(tail)).squareRoot()
    let over = 2.515_517 + t * (0.802_853 + t * 0.010_328)
    let under = 1 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308))
    let deviate = t - over / under
    return quantile < 0.5 ? -deviate : deviate
  }
}
