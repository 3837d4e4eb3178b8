import Media
import Packager

/// What one segment shows.
enum Scene: Sendable {
  /// The camera's own pictures.
  case live
  /// The loop in place of the camera's pictures, without a sign; without a segment, where it cannot be read, the
  /// picture before stands.
  case veiled(LoopSegment?)
  /// The loop, because no stills come.
  case off(LoopSegment, at: LoopPlace?)
  /// The loop, because the operator wants it so.
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

  /// Where the loop's segment stands, if it keeps its name from round to round.
  var place: LoopPlace? {
    switch self {
    case .live, .veiled: nil
    case .off(_, let place), .paused(_, let place): place
    }
  }

  /// The slots that can be published together with the one of `part`, because they are known already; none where the
  /// scene has to look alive. Where names come again the last part waits for its time: it closes the segment, and only
  /// then it is decided whether a discontinuity follows.
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

/// Where a segment of a loop stands that keeps its name from round to round.
struct LoopPlace: Sendable {
  let name: SegmentName
  /// Where it begins on the loop's timeline.
  let mediaStart: Ticks
}

/// A segment that was decided: what it shows, and how it is announced.
struct PlannedSegment: Sendable {
  let scene: Scene
  /// Whether a discontinuity stands before it.
  let isDiscontinuous: Bool
  /// Whether a mark says that it is a recording.
  let isMarkedRecorded: Bool
}

extension TimelineSettings {
  /// How many parts of a recording are published at once. The blocking reload for the next one waits for so long, and
  /// hls.js takes a reload of more than three parts, or eight tenths of a target duration, or ten seconds for lost.
  fileprivate var partsAhead: Int {
    max(1, min(max(2, partsPerSegment / 2), Int(Ticks.seconds(8).floorDivided(by: part))))
  }
}
