import Media
import NIOConcurrencyHelpers
import Station

/// A clock for tests that call a camera's loop themselves: nobody sleeps by it.
final class HandClock: Sendable {
  private let state = NIOLockedValueBox((now: Ticks.seconds(1000), wall: WallTime(milliseconds: 1_790_000_000_000)))

  var stationClock: StationClock {
    StationClock(
      now: { self.now }, wall: { self.state.withLockedValue { $0.wall } },
      sleep: { _ in throw CancellationError() })
  }

  var now: Ticks { state.withLockedValue { $0.now } }

  /// Turns monotonic time on, and civil time with it.
  func advance(by step: Ticks) {
    state.withLockedValue { state in
      state.now = state.now + step
      state.wall.milliseconds += step.milliseconds
    }
  }

  /// Steps civil time alone.
  func stepWall(byMilliseconds step: Int64) { state.withLockedValue { $0.wall.milliseconds += step } }
}
