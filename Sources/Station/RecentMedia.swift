import Media
import NIOCore
import Synchronization

/// The live segments that were shown last, in memory, for an operator who wants to make a loop of them.
///
/// They are kept as they were coded, some 300 kB a minute. A withdrawal empties it.
public final class RecentMedia: Sendable {
  private struct State {
    var header: ByteBuffer?
    var segments: [ByteBuffer] = []
  }

  private let state = Mutex(State())
  private let length: Ticks

  init(length: Ticks) { self.length = length }

  /// Adds a segment of live pictures.
  func append(_ segment: ByteBuffer, of duration: Ticks, header: ByteBuffer) {
    let count = Int(length.floorDivided(by: duration))
    state.withLock { state in
      state.header = header
      state.segments.append(segment)
      if state.segments.count > count { state.segments.removeFirst(state.segments.count - count) }
    }
  }

  /// Forgets all.
  func clear() { state.withLock { $0.segments.removeAll() } }

  /// One fragmented MP4 of the newest segments that begin no longer than `span` ago; `nil` where there are none.
  public func file(span: Ticks, segment: Ticks) -> ByteBuffer? {
    let count = Int(max(1, span.floorDivided(by: segment)))
    return state.withLock { state in
      guard var file = state.header, !state.segments.isEmpty else { return nil }
      for segment in state.segments.suffix(count) { file.writeImmutableBuffer(segment) }
      return file
    }
  }
}
