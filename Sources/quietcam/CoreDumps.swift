import CProcess
import Glibc

/// Core dumps: files with the whole memory of a process that crashed, and so with pictures that were withdrawn.
enum CoreDumps {
  /// Forbids them. Only the superuser can then read this process's memory.
  static func forbid() {
    // A program that the system hands cores to (core_pattern) gets none of a process that is not dumpable.
    _ = qc_forbid_dumps()
    var limit = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
  }
}
