#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The system's message for an error number.
func words(_ number: Int32) -> String {
  var text = [CChar](repeating: 0, count: 128)
  guard strerror_r(number, &text, text.count) == 0 else { return "error \(number)" }
  return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// Wall clock time in nanoseconds since the epoch, in the clock of this machine's file systems.
func wallNanoseconds() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Ends the wait of a thread from another one, permanently.
final class WakePipe: Sendable {
  private let reading: Int32
  private let writing: Int32

  /// - Throws: if the process has no descriptors left.
  init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw SystemError(call: "pipe", number: errno) }
    (reading, writing) = (ends[0], ends[1])
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
  }

  deinit {
    close(reading)
    close(writing)
  }

  /// Ends the current wait and every later one.
  func wake() {
    var byte: UInt8 = 1
    _ = write(writing, &byte, 1)  // A full pipe wakes it too.
  }

  /// Blocks until `descriptor` can be read, another thread wakes it, or the time is over.
  ///
  /// - Returns: whether nobody has woken it yet.
  func wait(also descriptor: Int32? = nil, milliseconds: Int32) -> Bool {
    var waits = [pollfd(fd: reading, events: Int16(POLLIN), revents: 0)]
    if let descriptor { waits.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)) }
    _ = poll(&waits, nfds_t(waits.count), milliseconds)
    return waits[0].revents == 0
  }
}

/// A system call that failed.
struct SystemError: Error, CustomStringConvertible {
  let call: String
  let number: Int32

  var description: String { "\(call): \(words(number))" }
}
