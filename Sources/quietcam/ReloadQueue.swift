import Media
import NIOConcurrencyHelpers
import Origin

/// The orders that wait for the reloader, each with the task that waits for its answer.
final class ReloadQueue: Configurator {
  /// An order and its waiting task.
  typealias Waiting = (order: ConfigurationOrder, waiter: CheckedContinuation<ConfigurationAnswer, Never>)

  private struct State {
    var waiting: [Waiting] = []
    var isEnded = false
    /// Wakes the one that carries them out.
    var sleeper: CheckedContinuation<Void, Never>?
  }

  private static let most = 100

  private let state = NIOLockedValueBox(State())

  /// Has an order carried out behind those that wait.
  func carryOut(_ order: ConfigurationOrder) async -> ConfigurationAnswer {
    await withCheckedContinuation { waiter in
      let (isTaken, sleeper) = state.withLockedValue { state in
        guard !state.isEnded, state.waiting.count < Self.most else {
          return (false, nil as CheckedContinuation<Void, Never>?)
        }
        state.waiting.append((order, waiter))
        return (true, state.sleeper.take())
      }
      sleeper?.resume()
      if !isTaken { waiter.resume(returning: Self.busy) }
    }
  }

  /// The next order; `nil` once the task is cancelled.
  func next() async -> Waiting? {
    while !Task.isCancelled {
      let first = state.withLockedValue { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
      if let first { return first }
      await withTaskCancellationHandler {
        await withCheckedContinuation { sleeper in
          let isOver = state.withLockedValue { state in
            guard state.waiting.isEmpty, !Task.isCancelled else { return true }
            state.sleeper = sleeper
            return false
          }
          if isOver { sleeper.resume() }
        }
      } onCancel: {
        state.withLockedValue { $0.sleeper.take() }?.resume()
      }
    }
    return nil
  }

  /// Refuses all orders from now on.
  func end() {
    let waiting = state.withLockedValue { state in
      state.isEnded = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for (_, waiter) in waiting { waiter.resume(returning: Self.busy) }
  }

  private static let busy = ConfigurationAnswer(
    .busy, error: "busy", detail: "the server is ending or too many changes wait; try again")
}
