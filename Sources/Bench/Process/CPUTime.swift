import CDispatch  // The importer finds timespec here if NIO is imported too.
import Glibc
import Media

/// Processor time, in nanoseconds. Unlike wall clock time it does not grow while other programs use the machine.
struct CPUTime {
  /// The processor time of the calling thread. (`getrusage` counts a running thread's only at each tick of the system's
  /// timer, every 4 ms.)
  static var thread: Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  /// The processor time of this process, to the microsecond.
  static var process: Int64 { read(RUSAGE_SELF.rawValue) }

  /// The processor time of all child processes that have ended, to the microsecond.
  static var children: Int64 {
    read(RUSAGE_CHILDREN.rawValue)
  }

  private static func read(_ whose: Int32) -> Int64 {
    var usage = rusage()
    getrusage(__rusage_who_t(whose), &usage)
    let microseconds =
      (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
    return Int64(microseconds) * 1000
  }
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
