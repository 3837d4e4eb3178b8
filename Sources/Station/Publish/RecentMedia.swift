import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager

/// The live segments that were shown last, in memory, for an operator who wants to make a loop of them.
///
/// They are kept as they were coded, some 300 kB a minute, with the JPEGs that `latest.jpg` showed, which take more. A
/// withdrawal empties it.
package final class RecentMedia: Sendable {
  /// One segment.
  struct Segment: Sendable {
    /// All its parts.
    var media = ByteBuffer()
    /// What stood when it began, as a JPEG.
    let opening: ByteBuffer
    /// The pictures that began to show in it.
    var changes: [Loop.Change] = []

    /// A segment that begins with this picture.
    init(opening: ByteBuffer) { self.opening = opening }

    /// Adds what a slot shows that begins at this step of the segment.
    mutating func add(_ content: SlotContent, at first: Int) {
      for change in content.changes {
        guard let jpeg = change.jpeg else { continue }
        changes.append(Loop.Change(step: first + change.step, jpeg: jpeg, since: change.since))
      }
    }

    fileprivate var bytes: Int { changes.reduce(media.readableBytes) { $0 + $1.jpeg.readableBytes } }

    /// A box with its pictures, what stood before it only where asked for.
    fileprivate func pictures(step: Ticks, withOpening: Bool) -> ByteBuffer? {
      var pictures = changes.map { ShownPictures.Picture(place: $0.step, isNew: true, jpeg: $0.jpeg, since: $0.since) }
      if withOpening, pictures.first?.place != 0 {
        pictures.insert(.init(place: 0, isNew: false, jpeg: opening), at: 0)
      }
      return pictures.isEmpty ? nil : ShownPictures(step: step, pictures: pictures).box
    }
  }

  private struct State {
    var header: ByteBuffer?
    var segments: [Segment] = []
    var bytes = 0
  }

  /// The most that is kept of one camera, in bytes.
  package static let mostBytes = 128 << 20

  private let state = NIOLockedValueBox(State())
  private let count: Int
  private let step: Ticks
  private let mostBytes: Int

  /// A memory of so much of a stream.
  init(length: Ticks, timeline: TimelineSettings, mostBytes: Int = RecentMedia.mostBytes) {
    count = Int(length.floorDivided(by: timeline.segment))
    step = timeline.step
    self.mostBytes = mostBytes
  }

  /// Adds a segment of live pictures.
  func append(_ segment: Segment, header: ByteBuffer) {
    state.withLockedValue { state in
      state.header = header
      state.segments.append(segment)
      state.bytes += segment.bytes
      while state.segments.count > count || state.bytes > mostBytes, !state.segments.isEmpty {
        state.bytes -= state.segments.removeFirst().bytes
      }
    }
  }

  /// Forgets all.
  func clear() { state.withLockedValue { ($0.segments, $0.bytes) = ([], 0) } }

  /// What is kept, in bytes.
  package var bytes: Int { state.withLockedValue { $0.bytes } }

  /// One fragmented MP4 of the newest segments that begin no longer than `span` ago, with their pictures between them;
  /// `nil` where there are none.
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
