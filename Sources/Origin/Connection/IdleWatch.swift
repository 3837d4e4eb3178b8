import NIOCore

/// Closes a connection that has been without a request for too long. Used on the connection's event loop.
final class IdleWatch {
  private let time: TimeAmount
  private var task: Scheduled<Void>?
  /// When something was read or written last.
  private(set) var lastActive = NIODeadline.uptimeNanoseconds(0)

  /// - Parameter time: how long a connection can be open without a request.
  init(_ time: TimeAmount) { self.time = time }

  /// Begins to watch; does nothing the second time.
  ///
  /// - Parameter isBusy: whether the connection has a request now.
  func begin(_ channel: any Channel, isBusy: @escaping () -> Bool) {
    guard task == nil else { return }
    lastActive = channel.eventLoop.now
    look(channel, at: lastActive + time, isBusy)
  }

  /// Something was read or written.
  func note(_ now: NIODeadline) { lastActive = now }

  /// The connection has ended.
  func end() {
    task?.cancel()
    task = nil
  }

  private func look(_ channel: any Channel, at due: NIODeadline, _ isBusy: @escaping () -> Bool) {
    let bound = NIOLoopBound((self, isBusy), eventLoop: channel.eventLoop)
    task = channel.eventLoop.scheduleTask(deadline: due) {
      let (watch, isBusy) = bound.value
      guard watch.task != nil else { return }
      let (now, due) = (channel.eventLoop.now, watch.lastActive + watch.time)
      if isBusy() {
        watch.look(channel, at: now + watch.time, isBusy)
      } else if now < due {
        watch.look(channel, at: due, isBusy)
      } else {
        channel.close(promise: nil)
      }
    }
  }
}
