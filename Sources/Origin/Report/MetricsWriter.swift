import Media
import NIOCore

/// Writes families of metrics in Prometheus's text format (0.0.4).
struct MetricsWriter {
  /// A number with its labels: pairs of a name and a value that needs no escaping.
  typealias Sample = (labels: [(String, String)], number: Int64)
  /// A histogram with its labels.
  typealias Durations = (labels: [(String, String)], histogram: Histogram)

  private(set) var text = ByteBuffer()

  /// Writes a counter or a gauge.
  ///
  /// - Parameter name: without the prefix; it ends in `_total` for a counter, and has the unit where there is one.
  mutating func family(_ name: String, _ type: Kind, _ help: String, _ samples: [Sample]) {
    family("quietcam_\(name)", type.rawValue, help)
    for sample in samples { line("quietcam_\(name)", sample.labels, "\(sample.number)") }
  }

  /// Writes a counter of seconds that has no labels.
  ///
  /// - Parameter name: without the prefix; it ends in `_seconds_total`.
  mutating func seconds(_ name: String, _ help: String, nanoseconds: Int64) {
    family("quietcam_\(name)", "counter", help)
    line("quietcam_\(name)", [], Self.seconds(nanoseconds))
  }

  /// What a family is, besides a histogram.
  enum Kind: String {
    case counter, gauge
  }

  /// Writes durations in seconds.
  ///
  /// - Parameter name: without the prefix; it ends in `_seconds`.
  mutating func histograms(_ name: String, _ help: String, _ all: [Durations]) {
    let name = "quietcam_\(name)"
    family(name, "histogram", help)
    for (labels, histogram) in all {
      let counted = histogram.counted
      for (bound, count) in zip(histogram.bounds, counted.cumulative) {
        line("\(name)_bucket", labels + [("le", Self.seconds(bound))], "\(count)")
      }
      line("\(name)_bucket", labels + [("le", "+Inf")], "\(counted.count)")
      line("\(name)_sum", labels, Self.seconds(counted.sum))
      line("\(name)_count", labels, "\(counted.count)")
    }
  }

  /// Writes what Prometheus's clients say of every process, under the names that they all use.
  mutating func process(_ usage: ProcessUsage) {
    family("process_cpu_seconds_total", "counter", "Processor time that this process used.")
    line("process_cpu_seconds_total", [], Self.seconds(usage.cpuNanoseconds))
    family("process_start_time_seconds", "gauge", "When this process began, in seconds since 1970.")
    line("process_start_time_seconds", [], Self.seconds(usage.began.milliseconds * 1_000_000))
    guard let bytes = usage.residentBytes else { return }
    family("process_resident_memory_bytes", "gauge", "Memory that this process has.")
    line("process_resident_memory_bytes", [], "\(bytes)")
  }

  private mutating func family(_ name: String, _ type: String, _ help: String) {
    text.writeString("# HELP \(name) \(help)\n# TYPE \(name) \(type)\n")
  }

  private mutating func line(_ name: String, _ labels: [(String, String)], _ value: String) {
    let written = labels.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
    text.writeString(name + (written.isEmpty ? "" : "{\(written)}") + " \(value)\n")
  }

  /// Nanoseconds as decimal seconds, without zeros at the end.
  static func seconds(_ nanoseconds: Int64) -> String {
    let (whole, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    guard rest > 0 else { return "\(whole)" }
    var digits = String(1_000_000_000 + rest).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return "\(whole).\(digits)"
  }
}
