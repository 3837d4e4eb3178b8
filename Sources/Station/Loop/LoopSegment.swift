import Media
import NIOCore
import Packager

/// One segment of a loop: its encoded pictures, and the JPEGs that show with them.
package struct LoopSegment: Sendable {
  /// One picture for each step of the grid; only the first is an IDR picture.
  package internal(set) var pictures: [CodedPicture]
  /// Where a new picture begins to show, for `latest.jpg` and the events; in rising order.
  package internal(set) var changes: [ShownPicture]
  /// What is shown at the first step, as a JPEG, whether it is new there or continues from the segment before: for a
  /// stream that enters the loop here.
  package let opening: ByteBuffer

  /// A segment of these pictures.
  package init(pictures: [CodedPicture], changes: [ShownPicture], opening: ByteBuffer) {
    self.pictures = pictures
    self.changes = changes
    self.opening = opening
  }

  /// Whether a new picture shows at its start.
  var beginsWithNewPicture: Bool { changes.first?.step == 0 }

  /// The content of one of its slots.
  func slot(_ part: Int, _ timeline: TimelineSettings) -> SlotContent {
    let first = part * timeline.stepsPerPart
    let range = first..<first + timeline.stepsPerPart
    return SlotContent(
      pictures: Array(pictures[range]),
      changes: changes.filter { range.contains($0.step) }.map { $0.earlier(by: first) })
  }
}
