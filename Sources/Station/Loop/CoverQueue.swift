import NIOCore
import Packager

/// The place of a segment in a loop.
struct LoopSegmentPlace: Hashable, Sendable {
  /// Which of the loops that were taken up it is.
  let generation: Int
  let index: Int
}

/// A segment of a loop whose pictures cover the camera's stills.
struct CoveringSegment: Sendable {
  let segment: LoopSegment
  /// The segment behind it; `nil` at the end of the loop.
  let next: LoopSegmentPlace?
}

/// The loop's pictures that cover the next stills under a veil, in the loop's order.
struct CoverQueue: Sendable {
  private var covers: [(jpeg: ByteBuffer, next: LoopSegmentPlace?)] = []
  /// The segment of the loop that begins with the picture that is shown: it can be played without a change that no still
  /// has made. `nil` where there is none.
  private(set) var standsBefore: LoopSegmentPlace?

  /// How many pictures are left.
  var count: Int { covers.count }

  /// The pictures that are left.
  var pictures: [ByteBuffer] { covers.map(\.jpeg) }

  /// The segments that can be played now, or after one of the next stills.
  var places: [LoopSegmentPlace] { ([standsBefore] + covers.prefix(4).map(\.next)).compactMap { $0 } }

  /// Adds the pictures of these segments.
  mutating func append(_ segments: [CoveringSegment]) {
    guard segments.contains(where: { !$0.segment.changes.isEmpty }) else {
      // A loop that does not change covers stills with its one picture.
      covers += segments.map { ($0.segment.opening, nil) }
      return
    }
    for part in segments {
      let changes = part.segment.changes
      covers += changes.enumerated().map { ($1.jpeg, $0 == changes.count - 1 ? part.next : nil) }
    }
  }

  /// Takes the next picture; `nil` if none is left.
  mutating func take() -> ByteBuffer? {
    guard !covers.isEmpty else { return nil }
    let cover = covers.removeFirst()
    standsBefore = cover.next
    return cover.jpeg
  }

  /// Notes that the picture that was taken last is not shown, or no more.
  mutating func miss() { standsBefore = nil }
}
