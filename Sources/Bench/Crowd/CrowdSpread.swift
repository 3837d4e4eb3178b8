import Histogram

/// How long after the first viewer the others had the same media.
package struct CrowdSpread: Sendable {
  /// Microseconds, of all viewers and media.
  private var waits: Histogram<UInt32>
  /// Microseconds from the first viewer to the last, for each name that most of them had.
  private var spans: [Int64] = []

  /// - Parameter arrivals: nanoseconds of a clock, by name.
  init(_ arrivals: [String: [Int64]], viewers: Int) {
    waits = Histogram<UInt32>(highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)
    for times in arrivals.values {
      // Names that only some viewers had were being published when the measurement began or ended.
      guard times.count * 10 >= viewers * 9, let first = times.min(), let last = times.max() else { continue }
      for time in times { waits.record(UInt64((time - first) / 1000)) }
      spans.append((last - first) / 1000)
    }
    spans.sort()
  }

  /// How many parts or segments were compared.
  package var count: Int { spans.count }
  /// The median and the longest time from the first viewer to the last, in milliseconds.
  package var span: (median: Int64, most: Int64) {
    spans.isEmpty ? (0, 0) : (spans[spans.count / 2] / 1000, (spans.last ?? 0) / 1000)
  }
  /// The waits after the first viewer by percentile, in milliseconds: HdrHistogram's text, which its plotter reads.
  package var distribution: String {
    var text = ""
    waits.outputPercentileDistribution(to: &text, outputValueUnitScalingRatio: 1000)
    return text
  }
  /// The wait after the first viewer at a percentile, in milliseconds.
  package func wait(at percentile: Double) -> Int64 {
    Int64(waits.valueAtPercentile(percentile) / 1000)
  }
}
