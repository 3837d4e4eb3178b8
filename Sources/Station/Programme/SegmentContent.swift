import Media
import Packager

/// What one segment shows.
enum SegmentContent: Sendable {
  /// The camera's own pictures.
  case live
  /// The loop in place of the camera's pictures, without notice to viewers: this segment of it, or without one, pictures
  /// of it that cover the stills that come.
  case veiled(LoopSegment?)
  /// The loop, because no stills come.
  case off(LoopSegment, at: LoopPlace?)
  /// The loop, because the operator ordered it.
  case paused(LoopSegment, at: LoopPlace?)

  /// Whether the camera or its loop is shown, and why.
  var source: Director.Source {
    switch self {
    case .live: .live
    case .veiled: .veiled
    case .off: .off
    case .paused: .paused
    }
  }

  /// The position of the loop's segment, if it keeps its name from round to round.
  var place: LoopPlace? {
    switch self {
    case .live, .veiled: nil
    case .off(_, let place), .paused(_, let place): place
    }
  }

  /// The slots that can be published together with the one of `part`, because they are known already; none if the segment
  /// must look live. If names come again, the last part is published at its time: it closes the segment, and only then
  /// it is decided whether a discontinuity follows.
  func slotsAhead(of part: Int, _ settings: CameraSettings) -> [[CodedPicture]] {
    let segment: LoopSegment
    switch self {
    case .live, .veiled: return []
    case .off(let loop, _), .paused(let loop, _): segment = loop
    }
    let timeline = settings.timeline
    let count = timeline.partsAhead
    guard part % count == 0 else { return [] }
    let end = min(part + count, timeline.partsPerSegment - (settings.off == .cached ? 1 : 0))
    return part + 1 < end ? (part + 1..<end).map { segment.slot($0, timeline).pictures } : []
  }
}

/// The position of a loop segment that keeps its name from round to round.
struct LoopPlace: Sendable {
  let name: SegmentName
  /// Where it begins on the loop's timeline.
  let mediaStart: Ticks
}

/// A segment that was decided: what it shows, and how it is listed.
struct PlannedSegment: Sendable {
  let segmentContent: SegmentContent
  /// Whether a discontinuity comes before it.
  let isDiscontinuous: Bool
  /// Whether a date range says that it is recorded.
  let isMarkedRecorded: Bool
}

extension TimelineSettings {
  /// How many parts of a loop are published at once. The blocking reload for the next one is held for that time, and
  /// hls.js gives up a reload of more than three parts, or eight tenths of a target duration, or ten seconds.
  fileprivate var partsAhead: Int {
    max(1, min(max(2, partsPerSegment / 2), Int(Ticks.seconds(8).floorDivided(by: part))))
  }
}
