/// How long after the first viewer the others had the same media.
package struct CrowdSpread: Sendable {
  /// Of all viewers and media.
  private var waits = CrowdWaits()
  /// Microseconds from the first viewer to the last, for each name that most of them had.
  private var spans: [Int64] = []

  /// - Parameter arrivals: nanoseconds of a clock, by name.
  init(_ arrivals: [String: [Int64]], viewers: Int) {
    for times in arrivals.values {
      // Names that only some viewers had were being published when the measurement began or ended.
      guard times.count * 10 >= viewers * 9, let first = times.min(), let last = times.max() else { continue }
      for time in times { waits.add(microseconds: (time - first) / 1000) }
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
  /// The waits after the first viewer by percentile, for HdrHistogram's plotter.
  package var distribution: String { waits.distribution }
  /// The wait after the first viewer at a percentile, in milliseconds.
  package func wait(at percentile: Double) -> Int64 { waits.milliseconds(at: percentile) }
}
