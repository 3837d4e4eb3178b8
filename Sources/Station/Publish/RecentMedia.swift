import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager

/// The live segments that were shown last, in memory, to make a loop of them.
///
/// They are kept as they were encoded, some 300 kB a minute, with the JPEGs that `latest.jpg` showed, which take more.
/// A withdrawal empties it.
package final class RecentMedia: Sendable {
  private struct State {
    var header: ByteBuffer?
    var segments: [RecentSegment] = []
    var bytes = 0
  }

  private let state = NIOLockedValueBox(State())
  private let count: Int
  private let step: Ticks
  private let memory: RecentMemory

  /// A memory of this much of a stream.
  ///
  /// - Parameter memory: what all cameras may take together.
  init(length: Ticks, timeline: TimelineSettings, memory: RecentMemory) {
    count = Int(length.floorDivided(by: timeline.segment))
    step = timeline.step
    self.memory = memory
  }

  deinit { memory.leave(ObjectIdentifier(self)) }

  /// Adds a segment of live pictures.
  func append(_ segment: RecentSegment, header: ByteBuffer) {
    state.withLockedValue { state in
      state.header = header
      state.segments.append(segment)
      state.bytes += segment.bytes
      while state.segments.count > count {
        state.bytes -= state.segments.removeFirst().bytes
      }
      memory.note(self, bytes: state.bytes, segments: state.segments.count)
    }
    memory.makeRoom()
  }

  /// Forgets the oldest segment, but not the last one.
  func forgetOldest() {
    state.withLockedValue { state in
      if state.segments.count > 1 { state.bytes -= state.segments.removeFirst().bytes }
      memory.note(self, bytes: state.bytes, segments: state.segments.count)
    }
  }

  /// Forgets all.
  func clear() {
    state.withLockedValue { state in
      (state.segments, state.bytes) = ([], 0)
      memory.note(self, bytes: 0, segments: 0)
    }
  }

  /// The size of what is kept, in bytes.
  package var bytes: Int { state.withLockedValue { $0.bytes } }

  /// One fragmented MP4 of the newest segments that began at most `span` ago, with their pictures between them; `nil`
  /// if there are none.
  package func file(span: Ticks, segment: Ticks) -> ByteBuffer? {
    let count = Int(max(1, span.floorDivided(by: segment)))
    let (header, segments) = state.withLockedValue { ($0.header, Array($0.segments.suffix(count))) }
    guard var file = header, !segments.isEmpty else { return nil }
    for (index, segment) in segments.enumerated() {
      if let box = segment.pictures(step: step, withOpening: index == 0) { file.writeImmutableBuffer(box) }
      file.writeImmutableBuffer(segment.media)
    }
    return file
  }
}
