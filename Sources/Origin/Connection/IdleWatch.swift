import NIOCore

/// Ends a connection that has been without a request for too long. Used on the connection's event loop.
final class IdleWatch {
  private let time: TimeAmount
  private var deadline: Deadline?
  /// When it was noted last that the connection is in use.
  private(set) var lastActive = NIODeadline.uptimeNanoseconds(0)

  /// - Parameter time: how long a connection can be open without a request.
  init(_ time: TimeAmount) { self.time = time }

  /// Begins to watch; does nothing the second time.
  ///
  /// - Parameters:
  ///   - isBusy: whether the connection has a request now.
  ///   - isOver: called once, when the connection has been idle for the time.
  func begin(_ loop: any EventLoop, isBusy: @escaping () -> Bool, isOver: @escaping () -> Void) {
    guard deadline == nil else { return }
    lastActive = loop.now
    look(loop, at: lastActive + time, isBusy, isOver)
  }

  /// Something is read or written, or a request ends.
  func note(_ now: NIODeadline) { lastActive = now }

  /// The connection has ended.
  func end() {
    deadline?.cancel()
    deadline = nil
  }

  private func look(
    _ loop: any EventLoop, at due: NIODeadline, _ isBusy: @escaping () -> Bool, _ isOver: @escaping () -> Void
  ) {
    deadline = loop.deadline(at: due) { [self] in
      let (now, due) = (loop.now, lastActive + time)
      if isBusy() {
        look(loop, at: now + time, isBusy, isOver)
      } else if now < due {
        look(loop, at: due, isBusy, isOver)
      } else {
        isOver()
      }
    }
  }
}
