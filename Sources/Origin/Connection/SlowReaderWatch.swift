import NIOCore

/// Closes a connection whose client takes too little of what there is to send. Used on the connection's event loop.
///
/// A long answer stays in the buffer until nearly all of it was taken, so what counts is whether it gets less.
final class SlowReaderWatch {
  /// The fewest bytes that a client takes in the time.
  private static let least = 32 << 10

  private let patience: TimeAmount
  private var deadline: Deadline?
  /// How many bytes waited when it was looked at last.
  private var before = 0

  /// - Parameter patience: the time.
  init(_ patience: TimeAmount) { self.patience = patience }

  /// The connection has more to send than it takes.
  func begin(_ channel: any Channel) {
    guard deadline == nil else { return }
    let due = channel.eventLoop.now + patience
    // What the system buffers at once was not taken by the client; nor does what it takes until then count.
    deadline = channel.eventLoop.deadline(in: .zero) { [self] in
      before = Self.waiting(channel)
      look(channel, at: due)
    }
  }

  /// It takes more again, or has ended.
  func end() {
    deadline?.cancel()
    deadline = nil
  }

  private func look(_ channel: any Channel, at due: NIODeadline) {
    deadline = channel.eventLoop.deadline(at: due) { [self] in
      let now = Self.waiting(channel)
      guard before - now >= Self.least else { return channel.close(promise: nil) }
      before = now
      look(channel, at: channel.eventLoop.now + patience)
    }
  }

  /// The bytes that wait to be sent; 0 for a request by HTTP/2, whose channel does not tell.
  private static func waiting(_ channel: any Channel) -> Int {
    guard channel.parent?.parent == nil else { return 0 }
    return (try? channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)) ?? 0
  }
}
