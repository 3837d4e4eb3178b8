import Hours
import NIOConcurrencyHelpers

extension Camera {
  /// A command of the operator.
  package enum Command: Hashable, Sendable {
    /// A command for what is shown from the next part or segment on; see `Director.Order`.
    case order(Director.Order)
    /// Everything that can still be fetched is removed at once, and the loop is shown until `resume`.
    case withdraw
    /// The camera's hours are others now; `nil` for always.
    case hours(Hours?)
  }
}

/// The commands that wait for the camera's loop, each with the task that waits until it is carried out.
final class CommandQueue: Sendable {
  /// A command and its waiting task; `true` says that it was carried out.
  typealias Waiting = (command: Camera.Command, waiter: CheckedContinuation<Bool, Never>)

  private struct State {
    var waiting: [Waiting] = []
    var isEnded = false
  }

  private static let most = 100

  private let state = NIOLockedValueBox(State())

  /// Has a command carried out by the loop that `signal` wakes.
  ///
  /// - Returns: whether it was carried out; `false` if the camera has ended or too many commands wait.
  func carryOut(_ command: Camera.Command, waking signal: Signal) async -> Bool {
    await withCheckedContinuation { waiter in
      let isTaken = state.withLockedValue { state in
        guard !state.isEnded, state.waiting.count < Self.most else { return false }
        state.waiting.append((command, waiter))
        return true
      }
      if isTaken { signal.fire() } else { waiter.resume(returning: false) }
    }
  }

  /// Takes the commands that wait; the caller resumes their tasks.
  ///
  /// - Parameter leavingOrders: whether they go on waiting if there is no withdrawal among them.
  func take(leavingOrders: Bool = false) -> [Waiting] {
    state.withLockedValue { state in
      if leavingOrders, !state.waiting.contains(where: { $0.command == .withdraw }) { return [] }
      defer { state.waiting.removeAll() }
      return state.waiting
    }
  }

  /// Refuses all commands from now on.
  func end() {
    let waiting = state.withLockedValue { state in
      state.isEnded = true
      defer { state.waiting.removeAll() }
      return state.waiting
    }
    for (_, waiter) in waiting { waiter.resume(returning: false) }
  }
}
