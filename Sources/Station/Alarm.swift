import Synchronization

/// Wakes one waiting task; an alarm that nobody waits for rings with the next wait.
final class Alarm: Sendable {
  private struct State {
    var isRinging = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Wakes the task that waits.
  func ring() {
    let waiter = state.withLock { state in
      state.isRinging = state.waiter == nil
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Waits for a ring, or for the task's cancellation. One task at a time.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isRinging || Task.isCancelled {
            state.isRinging = false
            return true
          }
          state.waiter = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume()
    }
  }
}
