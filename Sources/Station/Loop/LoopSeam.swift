import Media
import Packager

/// When a picture of a loop begins to show in its segment, and when its still came.
struct LoopTime: Hashable, Sendable {
  /// The index of the step in the segment.
  let step: Int
  /// As `ShownPicture.slotOffset`.
  let slotOffset: Ticks?
}

/// Says which segments of a loop can follow what was told of a camera's stills, in the loop's own times: all moved by the
/// same time, so that each still stays in the slot in which its picture shows, and the first follows the last one that
/// was told of in an interval that the camera has.
struct LoopSeam: Sendable {
  private let rhythm: StillRhythm
  private let collectedFrom: Ticks
  private let timeline: TimelineSettings

  /// A seam before a segment.
  ///
  /// - Parameters:
  ///   - rhythm: what is known of the camera's stills and was told of them.
  ///   - collectedFrom: when the segment's first slot began to collect stills.
  init(_ rhythm: StillRhythm, collectedFrom: Ticks, timeline: TimelineSettings) {
    (self.rhythm, self.collectedFrom, self.timeline) = (rhythm, collectedFrom, timeline)
  }

  /// By how much a segment's times must be moved at least and at most so that its stills stay in their slots.
  private func room(_ times: [LoopTime]) -> ClosedRange<Ticks>? {
    let offsets = times.compactMap(\.slotOffset)
    guard let first = offsets.min(), let last = offsets.max() else {
      return Ticks(Int64.min / 4)...Ticks(Int64.max / 4)
    }
    let (least, most) = (min(.zero, .zero - first), max(.zero, timeline.part - Ticks(1) - last))
    return least...most
  }

  /// By how much the times must be moved if the loop goes on with the segment behind the one before: as they were, if its
  /// stills stay in their slots then. `nil` if it does not fit.
  func continued(_ times: [LoopTime], shift: Ticks) -> Ticks? {
    guard let room = room(times) else { return nil }
    if room ~= shift { return shift }
    guard let range = rhythm.range else { return nil }
    // A camera with a strict timer has hardly any room for a seam, and a hundredth of a second is hardly seen.
    let (least, most) = (range.lowerBound - Self.tolerance, range.upperBound + Self.tolerance)
    return fit(times, near: shift, least...most, mayBeOver: false)
  }

  /// By how much the times must be moved, as little as possible, if the loop begins with this segment; `nil` if it does
  /// not fit.
  func entered(_ times: [LoopTime]) -> Ticks? {
    guard let range = rhythm.range else { return times.isEmpty ? nil : .zero }
    return fit(times, near: .zero, range, mayBeOver: true)
  }

  private static let tolerance = Ticks.milliseconds(10)

  private func fit(
    _ times: [LoopTime], near shift: Ticks, _ range: ClosedRange<Ticks>, mayBeOver: Bool
  ) -> Ticks? {
    guard let room = room(times), let first = times.first else { return nil }
    let begin = collectedFrom + timeline.part * Int64(first.step / timeline.stepsPerPart)
    guard let reported = rhythm.reported, reported + range.upperBound >= begin else { return mayBeOver ? .zero : nil }
    guard let offset = first.slotOffset else {
      return reported + range.lowerBound < begin + timeline.part ? .zero : nil
    }
    let own = begin + offset - reported
    let least = max(room.lowerBound, range.lowerBound - own)
    let most = min(room.upperBound, range.upperBound - own)
    return least > most ? nil : min(max(shift, least), most)
  }
}
