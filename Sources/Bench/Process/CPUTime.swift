import CProcessTime
import Media

/// Processor time, in nanoseconds. Unlike wall clock time it does not grow while other programs use the machine.
struct CPUTime {
  /// The processor time of the calling thread. (`getrusage` counts a running thread's only at each tick of the system's
  /// timer, every 4 ms.)
  static var thread: Int64 { qc_thread_nanoseconds() }

  /// The processor time of this process, to the microsecond.
  static var process: Int64 { qc_process_nanoseconds() }

  /// The processor time of all child processes that have ended, to the microsecond.
  static var children: Int64 { qc_children_nanoseconds() }
}

/// Some measurements, in nanoseconds.
struct Samples {
  private var values: [Int64] = []

  mutating func add(_ nanoseconds: Int64) { values.append(nanoseconds) }

  /// Measures the calling thread's work in `body`.
  mutating func measure<Result>(_ body: () throws -> Result) rethrows -> Result {
    let start = CPUTime.thread
    defer { add(CPUTime.thread - start) }
    return try body()
  }

  /// The median; zero if nothing was measured.
  var median: Int64 {
    guard !values.isEmpty else { return 0 }
    return values.sorted()[values.count / 2]
  }

  /// The sum of all.
  var sum: Int64 { values.reduce(0, +) }

  /// The mean; zero if nothing was measured.
  var mean: Int64 { values.isEmpty ? 0 : sum / Int64(values.count) }
}

/// Nanoseconds as milliseconds with two decimals.
func milliseconds(_ nanoseconds: Int64) -> String {
  let hundredths = (nanoseconds + 5_000) / 10_000
  let fraction = String(hundredths % 100)
  return "\(hundredths / 100)." + (fraction.count == 1 ? "0" : "") + fraction
}
