import Media
import NIOCore
import Packager
import Picture

/// What one slot shows: its coded pictures, and the pictures that begin to show in it.
struct SlotContent: Sendable {
  /// A picture that begins to show.
  struct Change: Sendable {
    /// Its step in the slot.
    let step: Int
    /// The picture in the stream's size; `nil` where it could not be coded.
    let jpeg: ByteBuffer?
    /// The same as a photo, where that shows more.
    var photo: Photo?
    /// When its still came.
    var time: WallTime
    /// How long after the collecting for the slot had begun that was; `nil` where it is not known.
    var since: Ticks?
    /// Whether it has been shown as the latest picture already, and who listens was told.
    var isTold = false
  }

  /// One picture for each step.
  var pictures: [CodedPicture] = []
  /// In their order.
  var changes: [Change] = []

  /// Notes when the stills came that begin to show at these steps.
  mutating func note(_ stills: [(step: Int, since: Ticks)]) {
    for index in changes.indices { changes[index].since = stills.first { $0.step == changes[index].step }?.since }
  }
}

extension Loop.Segment {
  /// The content of one of its slots.
  func slot(_ part: Int, _ timeline: TimelineSettings) -> SlotContent {
    let first = part * timeline.stepsPerPart
    let range = first..<first + timeline.stepsPerPart
    return SlotContent(
      pictures: Array(pictures[range]),
      changes: changes.filter { range.contains($0.step) }.map { change in
        SlotContent.Change(
          step: change.step - first, jpeg: change.jpeg, time: WallTime(milliseconds: 0), since: change.since)
      })
  }
}
