import NIOCore

/// Closes a connection whose client takes too little of what there is to send. Used on the connection's event loop.
///
/// A long answer stays in the buffer until nearly all of it was taken, so what counts is whether it gets less.
final class SlowReaderWatch {
  /// The fewest bytes that a client takes in the time.
  private static let least = 32 << 10

  private let patience: TimeAmount
  private var deadline: Scheduled<Void>?

  /// - Parameter patience: the time.
  init(_ patience: TimeAmount) { self.patience = patience }

  /// The connection has more to send than it takes.
  func begin(_ channel: any Channel) { if deadline == nil { look(channel, Self.waiting(channel)) } }

  /// It takes more again, or has ended.
  func end() {
    deadline?.cancel()
    deadline = nil
  }

  private func look(_ channel: any Channel, _ before: Int) {
    let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
    deadline = channel.eventLoop.scheduleTask(in: patience) {
      let now = Self.waiting(channel)
      if before - now >= Self.least { bound.value.look(channel, now) } else { channel.close(promise: nil) }
    }
  }

  /// The bytes that wait to be sent; 0 for a request by HTTP/2, whose channel does not tell.
  private static func waiting(_ channel: any Channel) -> Int {
    guard channel.parent?.parent == nil else { return 0 }
    return (try? channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)) ?? 0
  }
}
