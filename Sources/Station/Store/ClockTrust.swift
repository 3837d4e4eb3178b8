import CClock
import Glibc
import Media

/// Whether the machine's clock can be believed.
///
/// Small computers without a battery begin in 1970, or where they were switched off, until the network tells them the
/// time.
enum ClockTrust {
  /// No clock that is right says less: this was written then.
  private static let earliest = WallTime(milliseconds: 1_795_900_000_000)

  /// Whether the time is later than all times that are known to be over, and the kernel takes its clock for right.
  static func believes(_ now: WallTime) -> Bool { now >= max(earliest, programTime) && qc_clock_is_synchronized() != 0 }

  /// When the program's file was written.
  private static var programTime: WallTime {
    var file = stat()
    guard stat("/proc/self/exe", &file) == 0 else { return earliest }
    return WallTime(milliseconds: Int64(file.st_mtim.tv_sec) * 1000)
  }
}
