import Histogram

/// How long viewers waited for something, by percentile; to a thousandth of each time, up to ten minutes.
struct CrowdWaits: Sendable {
  private static let longest: UInt64 = 600_000_000

  /// Microseconds.
  private var waits = Histogram<UInt32>(highestTrackableValue: longest, numberOfSignificantValueDigits: .three)

  /// None yet.
  init() {}

  mutating func add(microseconds: Int64) { waits.record(min(Self.longest, UInt64(max(0, microseconds)))) }

  /// The wait at a percentile, in milliseconds.
  func milliseconds(at percentile: Double) -> Int64 { Int64(waits.valueAtPercentile(percentile) / 1000) }

  /// The waits by percentile, in milliseconds: HdrHistogram's text, which its plotter reads.
  var distribution: String {
    var text = ""
    waits.outputPercentileDistribution(to: &text, outputValueUnitScalingRatio: 1000)
    return text
  }
}
