import Glibc
import Media

/// The processor time of threads: unlike wall clock time it does not grow while the thread waits for a processor.
enum ThreadTime {
  /// That of the calling thread.
  static var now: Duration {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
