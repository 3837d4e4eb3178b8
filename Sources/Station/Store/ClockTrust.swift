import CClock
import Glibc
import Media

/// Whether the machine's clock can be believed.
///
/// Small computers without a battery begin in 1970, or at the time that they noted before they were switched off, until
/// the network tells them the time.
enum ClockTrust {
  /// No clock that is right says less: this was written then.
  private static let earliest = WallTime(milliseconds: 1_793_491_200_000)

  /// How long after the machine was started its clock may still wait for the network.
  private static let settling: Int64 = 120

  /// Whether the time is later than all times that are known to be over, and the machine is not one that was started a
  /// moment ago and still waits for the time.
  static func believes(_ now: WallTime) -> Bool { now >= max(earliest, programTime) && !waits }

  /// When the program's file was written.
  private static var programTime: WallTime {
    var file = stat()
    guard stat("/proc/self/exe", &file) == 0 else { return earliest }
    return WallTime(milliseconds: Int64(file.st_mtim.tv_sec) * 1000)
  }

  private static var waits: Bool {
    var sinceStart = timespec()
    clock_gettime(CLOCK_BOOTTIME, &sinceStart)
    return qc_clock_is_synchronized() == 0 && Int64(sinceStart.tv_sec) < settling
  }
}
