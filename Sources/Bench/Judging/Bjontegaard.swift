import Foundation

/// The Bjøntegaard difference: how many more bytes one rate-distortion curve takes than another at equal quality, on
/// average over the qualities that both reach (ITU-T VCEG-M33). The curves are joined by monotone cubics after Fritsch
/// and Carlson, as in ITU-T HSTP-VID-WPOM, because plain cubics swing between uneven points.
package struct Bjontegaard: Sendable {
  /// One point of a curve: bytes and a quality that rises with them.
  package typealias Point = (rate: Double, quality: Double)

  /// The difference in rate as a fraction: -0.5 if `curve` needs half the bytes of `anchor`.
  ///
  /// - Returns: `nil` if a curve has fewer than two points or the two have no quality in common.
  package static func rateDifference(of curve: [Point], against anchor: [Point]) -> Double? {
    guard let mine = Spline(curve), let theirs = Spline(anchor) else { return nil }
    let low = max(mine.first, theirs.first)
    let high = min(mine.last, theirs.last)
    guard high - low > 1e-9 else { return nil }
    return exp((mine.integral(low, high) - theirs.integral(low, high)) / (high - low)) - 1
  }

  /// The rate of a curve at a quality; `nil` outside it.
  package static func rate(of curve: [Point], at quality: Double) -> Double? {
    guard let spline = Spline(curve), quality >= spline.first, quality <= spline.last else { return nil }
    return exp(spline.value(quality))
  }

  /// The logarithm of the rate over the quality.
  private struct Spline {
    private let x: [Double]
    private let y: [Double]
    private let slope: [Double]

    var first: Double { x[0] }
    var last: Double { x[x.count - 1] }

    init?(_ points: [Point]) {
      var rising: [Point] = []
      for point in points.sorted(by: { $0.quality < $1.quality }) where point.rate > 0 {
        // Two points with one quality do not make a curve: the cheaper one counts.
        if let before = rising.last, point.quality - before.quality < 1e-9 {
          if point.rate < before.rate { rising[rising.count - 1] = point }
        } else {
          rising.append(point)
        }
      }
      guard rising.count >= 2 else { return nil }
      let x = rising.map(\.quality)
      let y = rising.map { log($0.rate) }
      var steps: [Double] = []
      for index in 0..<x.count - 1 {
        let rise: Double = y[index + 1] - y[index]
        steps.append(rise / (x[index + 1] - x[index]))
      }
      var slope = [Double](repeating: steps[0], count: x.count)
      slope[x.count - 1] = steps[steps.count - 1]
      for index in 1..<max(1, x.count - 1) {
        let (before, after) = (steps[index - 1], steps[index])
        let (left, right) = (x[index] - x[index - 1], x[index + 1] - x[index])
        let (heavy, light) = (2 * right + left, right + 2 * left)
        let mean: Double = (heavy + light) / (heavy / before + light / after)
        slope[index] = before * after <= 0 ? 0 : mean
      }
      (self.x, self.y, self.slope) = (x, y, slope)
    }

    func value(_ at: Double) -> Double {
      let index = max(0, min(x.count - 2, (x.firstIndex { $0 > at } ?? x.count - 1) - 1))
      let width = x[index + 1] - x[index]
      let t = (at - x[index]) / width
      let (a, b) = (1 + 2 * t, 1 - t)
      let values: Double = y[index] * a * b * b + y[index + 1] * t * t * (3 - 2 * t)
      let slopes: Double = slope[index] * t * b * b - slope[index + 1] * t * t * b
      return values + width * slopes
    }

    /// Cubics are integrated exactly by Simpson's rule on each piece.
    func integral(_ low: Double, _ high: Double) -> Double {
      let knots = [low] + x.filter { $0 > low && $0 < high } + [high]
      return zip(knots, knots.dropFirst()).reduce(0) { sum, ends in
        let (from, to) = ends
        return sum + (to - from) / 6 * (value(from) + 4 * value((from + to) / 2) + value(to))
      }
    }
  }
}
