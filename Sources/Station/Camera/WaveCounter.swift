import Media
import NIOConcurrencyHelpers

/// Counts visitors' waves and reports them to listeners at most once a second, because each event goes to every
/// listener.
final class WaveCounter: Sendable {
  private struct State {
    var count: Int64 = 0
    /// The count that was reported last, and when.
    var reported: (count: Int64, at: Ticks)?
  }

  private let clock: StationClock
  private let events: EventFeed
  private let state = NIOLockedValueBox(State())

  init(clock: StationClock, events: EventFeed) {
    self.clock = clock
    self.events = events
  }

  /// All waves so far.
  var count: Int64 { state.withLockedValue { $0.count } }

  /// Counts a wave and reports it: at once, or with the next slot if waves were reported within the last second.
  ///
  /// - Returns: all waves so far.
  func wave() -> Int64 {
    let count = state.withLockedValue { state in
      state.count += 1
      return state.count
    }
    report()
    return count
  }

  /// Reports new waves, unless others were reported within the last second.
  func report() {
    let now = clock.now()
    let count = state.withLockedValue { state -> Int64? in
      guard state.count > state.reported?.count ?? 0, state.reported.map({ now - $0.at >= .seconds(1) }) ?? true else {
        return nil
      }
      state.reported = (state.count, now)
      return state.count
    }
    if let count { events.add(.wave(count: count), at: clock.wall()) }
  }
}
