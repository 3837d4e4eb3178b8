import Foundation

/// The result of `quietcam bench quality`: curves of bytes and similarity.
package struct QualityResult: Codable, Sendable {
  /// One way of encoding at one strength.
  package struct Point: Codable, Sendable {
    /// The strength, such as `CRF 28`.
    package var label: String
    /// Thousands of bytes of media a minute, with the boxes of the parts.
    package var kilobytesPerMinute: Double
    /// Mean SSIM to the still that was pushed.
    package var likePushed: Double
    /// Mean SSIM to the true scene, if that is known.
    package var likeScene: Double?
    /// Processor time of a still's filter and encode, in milliseconds.
    package var milliseconds: Double

    /// The similarity that curves are drawn over: to the true scene if it is known.
    var similarity: Double { likeScene ?? likePushed }
  }

  /// One way of encoding at several strengths.
  package struct Curve: Codable, Sendable {
    /// The name of the way.
    package var name: String
    /// From coarse to fine.
    package var points: [Point]
    /// The Bjøntegaard difference in bytes to polling JPEGs, as a fraction; `nil` if the two have no quality in common.
    package var difference: Double?
    /// Thousands of bytes a minute at the required quality; `nil` if the curve does not reach it.
    package var atMark: Double?
  }

  /// What was measured.
  package var source: String
  /// How many stills, their mean size in bytes, and the seconds from one to the next.
  package var stills: Int
  /// The mean size of a pushed still in bytes.
  package var stillBytes: Int
  /// Seconds from still to still.
  package var every: Double
  /// Bytes a minute, in thousands, of polling the pushed stills, without headers.
  package var polling: Double
  /// SSIM of the pushed stills to the true scene, if that is known.
  package var pushedLikeScene: Double?
  /// The required similarity.
  package var mark: Double
  /// JPEG first.
  package var curves: [Curve]

  /// SSIM as curves are compared: in decibels of the difference to 1, which spreads the upper end.
  static func decibels(_ similarity: Double) -> Double { -10 * log10(max(1 - similarity, 1e-6)) }

  /// Computes the values that compare the curves.
  mutating func compare() {
    guard let anchor = curves.first?.points.map({ ($0.kilobytesPerMinute, Self.decibels($0.similarity)) }) else {
      return
    }
    for index in curves.indices {
      let curve = curves[index].points.map { ($0.kilobytesPerMinute, Self.decibels($0.similarity)) }
      curves[index].difference = index == 0 ? nil : Bjontegaard.rateDifference(of: curve, against: anchor)
      curves[index].atMark = Bjontegaard.rate(of: curve, at: Self.decibels(mark))
    }
  }

  /// The result as JSON with sorted keys.
  package var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
  }
}

extension QualityResult: CustomStringConvertible {
  /// The table for the terminal.
  package var description: String {
    func fixed(_ value: Double?, _ digits: Int, _ width: Int) -> String {
      let text = value.map { String(format: "%.\(digits)f", $0) } ?? "-"
      return String(repeating: " ", count: max(0, width - text.count)) + text
    }
    let judge = pushedLikeScene == nil ? "the pushed still" : "the true scene"
    var lines = ["\(source): \(stills) stills of \(stillBytes) bytes, one every \(every) s; SSIM to \(judge)"]
    lines.append(
      "polling them: \(fixed(polling, 0, 0)) kB/min of media"
        + (pushedLikeScene.map { ", SSIM " + fixed($0, 4, 0) } ?? "") + "; mark: SSIM \(fixed(mark, 4, 0))")
    lines.append(
      "curve".padding(toLength: 34, withPad: " ", startingAt: 0)
        + "  at mark kB/min  of polling     BD-rate   kB/min @ SSIM (ms a still)")
    for curve in curves {
      let share = curve.atMark.map { fixed(100 * $0 / polling, 1, 10) + " %" } ?? "           -"
      let difference = curve.difference.map { fixed(100 * $0, 1, 9) + " %" } ?? "          -"
      let points = curve.points.map {
        "\(fixed($0.kilobytesPerMinute, 0, 0)) @ \(fixed($0.similarity, 4, 0)) (\(fixed($0.milliseconds, 0, 0)))"
      }
      lines.append(
        curve.name.padding(toLength: 34, withPad: " ", startingAt: 0) + fixed(curve.atMark, 1, 16) + share + difference
          + "   " + points.joined(separator: ", "))
    }
    return lines.joined(separator: "\n")
  }
}
