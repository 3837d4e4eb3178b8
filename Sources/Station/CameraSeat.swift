import NIOConcurrencyHelpers

/// What the station wants of one camera's task, and whether the task has done it.
///
/// The station writes what it wants; the camera's task, which is the only one that runs the camera's loops, reads it.
final class CameraSeat: Sendable {
  /// What the task should do when its loop has ended.
  enum Next: Sendable {
    /// End.
    case end
    /// Go on with these settings.
    case change(CameraSettings)
  }

  private struct State {
    var next: Next?
    /// Whether what was wanted last is done; then also whether it failed.
    var isDone = false
    var failure: StationError?
    var waiting: [CheckedContinuation<StationError?, Never>] = []
  }

  let camera: Camera
  /// Its number among all cameras that the process has had: cameras are spread over time by it.
  let place: Int
  /// Whether the process has it from its start: then it does not run without the camera.
  let isOfStart: Bool
  /// Fires when the loop that runs has to end.
  let stop = Signal()
  private let state = NIOLockedValueBox(State())

  /// The seat of a camera whose first loop has to begin.
  init(_ camera: Camera, place: Int = 0, isOfStart: Bool) {
    (self.camera, self.place, self.isOfStart) = (camera, place, isOfStart)
  }

  // MARK: What the station wants

  /// Has the loop end, and then `next` done.
  func order(_ next: Next) {
    state.withLockedValue { state in
      state.next = next
      (state.isDone, state.failure) = (false, nil)
    }
    stop.fire()
  }

  /// Waits until what was wanted last is done.
  ///
  /// - Returns: why it failed; `nil` if it did not.
  func done() async -> StationError? {
    await withCheckedContinuation { continuation in
      let (isDone, failure) = state.withLockedValue { state in
        if !state.isDone { state.waiting.append(continuation) }
        return (state.isDone, state.failure)
      }
      if isDone { continuation.resume(returning: failure) }
    }
  }

  // MARK: What the task does

  /// Whether something was ordered that is not done.
  var hasOrder: Bool { state.withLockedValue { $0.next != nil } }

  /// Whether another loop goes on with the stream when this one has ended.
  var goesOn: Bool {
    state.withLockedValue { if case .change = $0.next { true } else { false } }
  }

  /// Takes what has to be done next; `nil` if nothing was ordered.
  func take() -> Next? { state.withLockedValue { $0.next.take() } }

  /// Notes that the newest loop runs, or why it does not.
  func settle(_ failure: StationError? = nil) {
    let waiting = state.withLockedValue { state -> [CheckedContinuation<StationError?, Never>] in
      // Something else has been ordered meanwhile.
      guard state.next == nil else { return [] }
      (state.isDone, state.failure) = (true, failure)
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume(returning: failure) }
  }

  /// Notes that the task has ended: nothing that is wanted later is done.
  func end() {
    _ = take()
    settle()
  }
}
