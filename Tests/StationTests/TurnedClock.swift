import Media
import NIOConcurrencyHelpers
import Station

/// A clock that tests turn: nobody who sleeps by it wakes before the test says so.
final class TurnedClock: Sendable {
  private struct State {
    var now = Ticks.zero
    var wall: WallTime
    var sleepers: [(until: Ticks, continuation: CheckedContinuation<Void, any Error>)] = []
    var waitingForSleeper: CheckedContinuation<Void, Never>?
  }

  private let state = NIOLockedValueBox(State(wall: WallTime(milliseconds: 1_790_000_000_000)))

  /// The clock as a station reads it.
  var stationClock: StationClock {
    StationClock(
      now: { self.state.withLockedValue { $0.now } }, wall: { self.state.withLockedValue { $0.wall } },
      sleep: { try await self.sleep(until: $0) })
  }

  private func sleep(until: Ticks) async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let (due, watcher) = state.withLockedValue { state -> (Bool, CheckedContinuation<Void, Never>?) in
          if Task.isCancelled || until <= state.now { return (true, nil) }
          state.sleepers.append((until, continuation))
          defer { state.waitingForSleeper = nil }
          return (false, state.waitingForSleeper)
        }
        watcher?.resume()
        if due { continuation.resume() }
      }
    } onCancel: {
      let sleepers = state.withLockedValue { state in
        defer { state.sleepers = [] }
        return state.sleepers
      }
      for sleeper in sleepers { sleeper.continuation.resume(throwing: CancellationError()) }
    }
  }

  /// Returns when somebody sleeps, so that everything that was due has been done.
  func settle() async {
    await withCheckedContinuation { continuation in
      let isSettled = state.withLockedValue { state in
        if !state.sleepers.isEmpty { return true }
        state.waitingForSleeper = continuation
        return false
      }
      if isSettled { continuation.resume() }
    }
  }

  /// Turns the clock on and waits until all who woke sleep again.
  func advance(by step: Ticks, wallBy wallStep: Int64? = nil) async {
    await settle()
    let woken = state.withLockedValue { state in
      state.now = state.now + step
      state.wall.milliseconds += wallStep ?? step.milliseconds
      defer { state.sleepers.removeAll { $0.until <= state.now } }
      return state.sleepers.filter { $0.until <= state.now }
    }
    for sleeper in woken { sleeper.continuation.resume() }
    await settle()
  }
}
