import NIOCore

/// Closes a connection whose client takes too little of what there is to send. Used on the connection's event loop.
///
/// A long answer stays in the buffer until nearly all of it was taken, so what counts is whether it gets less.
final class SlowReaderWatch {
  /// The fewest bytes that a client takes in the time.
  private static let least = 32 << 10

  private let patience: TimeAmount
  private var deadline: Scheduled<Void>?
  /// How many bytes waited when it was looked at last.
  private var before = 0

  /// - Parameter patience: the time.
  init(_ patience: TimeAmount) { self.patience = patience }

  /// The connection has more to send than it takes.
  func begin(_ channel: any Channel) {
    guard deadline == nil else { return }
    before = 0
    look(channel)
    // What the system buffers at once was not taken by the client.
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    channel.eventLoop.execute { bound.value.before = Self.waiting(channel) }
  }

  /// It takes more again, or has ended.
  func end() {
    deadline?.cancel()
    deadline = nil
  }

  private func look(_ channel: any Channel) {
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    deadline = channel.eventLoop.scheduleTask(in: patience) {
      let (watch, now) = (bound.value, Self.waiting(channel))
      guard watch.before - now >= Self.least else { return channel.close(promise: nil) }
      watch.before = now
      watch.look(channel)
    }
  }

  /// The bytes that wait to be sent; 0 for a request by HTTP/2, whose channel does not tell.
  private static func waiting(_ channel: any Channel) -> Int {
    guard channel.parent?.parent == nil else { return 0 }
    return (try? channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)) ?? 0
  }
}
