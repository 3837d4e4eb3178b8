import Media
import Station
import Synchronization

/// A clock for tests that call a camera's loop themselves: nobody sleeps by it.
final class HandClock: Sendable {
  private let state = Mutex((now: Ticks.seconds(1000), wall: WallTime(milliseconds: 1_790_000_000_000)))

  var stationClock: StationClock {
    StationClock(
      now: { self.now }, wall: { self.state.withLock { $0.wall } },
      sleep: { _ in throw CancellationError() })
  }

  var now: Ticks { state.withLock { $0.now } }

  /// Turns monotonic time on, and civil time with it.
  func advance(by step: Ticks) {
    state.withLock { state in
      state.now = state.now + step
      state.wall.milliseconds += step.milliseconds
    }
  }

  /// Steps civil time alone.
  func stepWall(byMilliseconds step: Int64) { state.withLock { $0.wall.milliseconds += step } }
}
