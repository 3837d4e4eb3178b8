import Media

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The clock of a station; tests replace it with one that they control.
package struct StationClock: Sendable {
  /// The monotonic time that everything is scheduled by, from an arbitrary zero.
  package let now: @Sendable () -> Ticks
  /// Wall clock time, which can step.
  package let wall: @Sendable () -> WallTime
  /// Suspends until a monotonic time; throws `CancellationError` when the waiting task is cancelled.
  package let sleep: @Sendable (_ until: Ticks) async throws -> Void
  /// Whether civil time can be believed: names that were made of it before do not come again.
  package let isTrusted: @Sendable (WallTime) -> Bool

  /// A clock of these functions.
  package init(
    now: @escaping @Sendable () -> Ticks, wall: @escaping @Sendable () -> WallTime,
    sleep: @escaping @Sendable (Ticks) async throws -> Void,
    isTrusted: @escaping @Sendable (WallTime) -> Bool = { _ in true }
  ) {
    self.now = now
    self.wall = wall
    self.sleep = sleep
    self.isTrusted = isTrusted
  }

  /// The machine's own clocks, with zero at the moment of this call.
  package static func system() -> StationClock {
    let zero = ContinuousClock.now
    return StationClock(
      now: { Ticks(ContinuousClock.now - zero) },
      wall: { .now },
      sleep: { until in
        try await Task.sleep(until: zero + until.duration, tolerance: .zero, clock: .continuous)
      },
      isTrusted: ClockTrust.believes)
  }
}

extension WallTime {
  /// The machine's monotonic clock.
  package static var now: WallTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return WallTime(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
  }
}
