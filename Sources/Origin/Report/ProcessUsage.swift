import Glibc
import Media
import Station

/// What this process used of the machine.
struct ProcessUsage: Sendable {
  /// Processor time since it began, of the program and of the system for it.
  let cpuNanoseconds: Int64
  /// Memory that it has now; `nil` where the system does not tell.
  let residentBytes: Int64?
  /// When it began, to the moment of the first look at it.
  let began: WallTime

  private static let began = WallTime.now

  /// Notes when the process began; called at its start.
  static func begin() { _ = began }

  /// As it is now.
  init() {
    began = Self.began
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    cpuNanoseconds = [usage.ru_utime, usage.ru_stime].reduce(0) {
      $0 + Int64($1.tv_sec) * 1_000_000_000 + Int64($1.tv_usec) * 1000
    }
    // The second number of the file is the count of pages; it is made by the kernel and never waits for a disk.
    let text = try? InputFile.text(at: "/proc/self/statm", most: 4096)
    residentBytes = text?.split(separator: " ").dropFirst().first.flatMap { Int64($0) }
      .map { $0 * Int64(sysconf(Int32(_SC_PAGESIZE))) }
  }
}
