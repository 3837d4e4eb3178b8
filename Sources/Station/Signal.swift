import NIOConcurrencyHelpers

/// Wakes one waiting task. A signal without a waiting task is kept for the next wait.
package final class Signal: Sendable {
  private struct State {
    var isFired = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = NIOLockedValueBox(State())

  /// A signal that has not fired.
  package init() {}

  /// Wakes the waiting task.
  package func fire() {
    let waiter = state.withLockedValue { state in
      state.isFired = state.waiter == nil
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }

  /// Suspends until the signal fires or the task is cancelled. One task at a time.
  package func wait() async {
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
