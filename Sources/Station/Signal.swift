import NIOConcurrencyHelpers

/// Wakes one waiting task; an alarm that nobody waits for rings with the next wait.
final class Signal: Sendable {
  private struct State {
    var isFired = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = NIOLockedValueBox(State())

  /// Wakes the task that waits.
  func fire() {
    let waiter = state.withLockedValue { state in
      state.isFired = state.waiter == nil
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// WaitLimit for a ring, or for the task's cancellation. One task at a time.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLockedValue { state in
          if state.isFired || Task.isCancelled {
            state.isFired = false
            return true
          }
          state.waiter = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      let waiter = state.withLockedValue { state in
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume()
    }
  }
}
