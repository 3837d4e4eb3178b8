import Media
import Packager

/// What one segment shows, decided before it begins.
struct Scene: Sendable {
  /// Where a segment of a loop stands that keeps its name from round to round.
  struct Place: Sendable {
    let name: SegmentName
    /// Where it begins on the loop's timeline.
    let mediaStart: Ticks
  }

  /// Whether the camera or its loop is shown, and why.
  let source: Director.Source
  /// The loop's segment; `nil` where the camera is shown.
  var recording: Loop.Segment?
  /// The loop's place, where it keeps its names.
  var place: Place?
  /// Whether a discontinuity stands before the segment.
  var isDiscontinuous = false
  /// Whether a mark says that it is a recording.
  var isMarkedRecorded = false

  /// A segment of the camera's own pictures.
  static let live = Scene(source: .live)
}
