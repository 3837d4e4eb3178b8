import NIOConcurrencyHelpers
import NIOCore

/// The newest still as pushed, for the servers that send the camera's own JPEGs.
final class StillHub: Sendable {
  private struct State {
    var current: (number: Int, jpeg: ByteBuffer)?
    var listeners: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
    var nextListener = 0
  }

  private let state = NIOLockedValueBox(State())

  /// The newest, with its number among all that were pushed.
  var current: (number: Int, jpeg: ByteBuffer)? { state.withLockedValue { $0.current } }

  /// Passes a still to all listeners.
  func publish(_ jpeg: ByteBuffer, number: Int) {
    let listeners = state.withLockedValue { state in
      state.current = (number, jpeg)
      return state.listeners.values
    }
    for listener in listeners { listener.yield(jpeg) }
  }

  /// The newest still and all that follow; a slow listener misses some.
  func stills() -> AsyncStream<ByteBuffer> {
    let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(1))
    let (id, current) = state.withLockedValue { state in
      state.nextListener += 1
      state.listeners[state.nextListener] = continuation
      return (state.nextListener, state.current?.jpeg)
    }
    continuation.onTermination = { [weak self] _ in
      self?.state.withLockedValue { _ = $0.listeners.removeValue(forKey: id) }
    }
    if let current { continuation.yield(current) }
    return stream
  }
}
