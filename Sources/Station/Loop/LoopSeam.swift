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
/// same time, so that each still stays where its picture shows, and the first follows the last one that was told of in an
/// interval that the camera has.
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

  /// By how much a segment's times can be moved, back and on: each still stays in its slot. Of several in one slot, each
  /// stays in its step too, because those behind the first show as many steps later as they came.
  private func room(_ times: [LoopTime]) -> ClosedRange<Ticks> {
    var (least, most) = (Ticks(Int64.min / 4), Ticks(Int64.max / 4))
    var index = 0
    while index < times.count {
      let slot = times[index].step / timeline.stepsPerPart
      let offsets = times[index...].prefix { $0.step / timeline.stepsPerPart == slot }.map(\.slotOffset)
      index += offsets.count
      for offset in offsets.compactMap({ $0 }) {
        let isAlone = offsets.count == 1
        let place = isAlone ? offset : Ticks(max(offset, .zero).count % timeline.step.count)
        least = max(least, .zero - place)
        most = min(most, (isAlone ? timeline.part : timeline.step) - Ticks(1) - place)
      }
    }
    return min(.zero, least)...max(.zero, most)
  }

  /// By how much the times of a loop must be moved so that its stills come at the place in their slots at which the
  /// camera's come now: slots can have been moved since the recording. `nil` where they have no such place.
  ///
  /// - Parameter phase: where in their slots the stills of the loop come.
  func alignment(phase: Ticks?) -> Ticks? {
    guard let phase, let own = rhythm.phase(slot: timeline.part) else { return nil }
    // The nearest way round the slot.
    let way = own - phase
    return way - timeline.part * (way + Ticks(timeline.part.count / 2)).floorDivided(by: timeline.part)
  }

  /// Whether times that are moved so much come at the camera's place in its slots; where it has none, whether they are as
  /// they were.
  func keepsPlace(_ shift: Ticks, phase: Ticks?) -> Bool {
    guard rhythm.phase(slot: timeline.part) != nil else { return shift == .zero }
    return alignment(phase: phase).map { abs(($0 - shift).count) <= Self.tolerance.count } ?? false
  }

  /// By how much the times must be moved if the loop goes on with the segment behind the one before: as they were, or as
  /// little as possible, if its stills stay where they are then. `nil` if it does not fit.
  ///
  /// - Parameter phase: where in their slots the stills of the loop come there. If slots were moved while it was
  ///   recorded, its times are moved otherwise behind that.
  func continued(_ times: [LoopTime], shift: Ticks, phase: Ticks? = nil) -> Ticks? {
    if let wanted = alignment(phase: phase), case .after(let own, let room) = place(times, mayBeOver: false) {
      let alignment = min(max(wanted, room.lowerBound), room.upperBound)
      // As near to it as an interval of the camera leads.
      let moves = [alignment] + rhythm.gaps.map { $0 - own }
      let way = min(shift, alignment)...max(shift, alignment)
      let nearest = moves.filter { way ~= $0 && room ~= $0 && rhythm.isUsual(own + $0) }
        .min { abs(($0 - alignment).count) < abs(($1 - alignment).count) }
      if let nearest, abs((alignment - shift).count) > Self.tolerance.count { return nearest }
    }
    if room(times) ~= shift { return shift }
    guard let range = rhythm.range else { return nil }
    switch place(times, mayBeOver: false) {
    case .none: return nil
    case .anywhere: return .zero
    case .after(let own, let room):
      // A camera with a strict timer has hardly any room for a seam, and a hundredth of a second is hardly seen.
      let least = max(room.lowerBound, range.lowerBound - Self.tolerance - own)
      let most = min(room.upperBound, range.upperBound + Self.tolerance - own)
      return least > most ? nil : min(max(shift, least), most)
    }
  }

  /// By how much the times must be moved if the loop begins with this segment; `nil` if it does not fit. They come at the
  /// camera's place in the slots, or stay as they are, if they can; otherwise the interval is drawn from the camera's
  /// own, because the shortest and the longest of them are rare.
  ///
  /// - Parameter phase: where in their slots the stills of the loop come there.
  func entered(_ times: [LoopTime], phase: Ticks? = nil) -> Ticks? {
    guard rhythm.range != nil else { return times.isEmpty ? nil : .zero }
    let room = room(times)
    let alignment = min(max(alignment(phase: phase) ?? .zero, room.lowerBound), room.upperBound)
    switch place(times, mayBeOver: true) {
    case .none: return nil
    case .anywhere: return alignment
    case .after(let own, let room):
      if rhythm.isUsual(own + alignment) { return alignment }
      if rhythm.isUsual(own) { return .zero }
      let moves = rhythm.gaps.map { gap in min(max(gap - own, room.lowerBound), room.upperBound) }
      return moves.filter { rhythm.isUsual(own + $0) }.randomElement()
    }
  }

  private static let tolerance = Ticks.milliseconds(10)

  /// Where the first still of a segment would come without being moved.
  private enum Place {
    case none
    /// Any time will do.
    case anywhere
    /// So long after the last one that was told of, and it can be moved so far.
    case after(Ticks, room: ClosedRange<Ticks>)
  }

  private func place(_ times: [LoopTime], mayBeOver: Bool) -> Place {
    guard let range = rhythm.range, let first = times.first else { return .none }
    let room = room(times)
    let begin = collectedFrom + timeline.part * Int64(first.step / timeline.stepsPerPart)
    guard let reported = rhythm.reported else { return mayBeOver ? .anywhere : .none }
    let latest = reported + range.upperBound
    guard latest + (mayBeOver ? .zero : Self.tolerance) >= begin else {
      // The silence has to be there when the segment begins: what comes in it must not make it.
      return mayBeOver && latest < collectedFrom ? .anywhere : .none
    }
    guard let offset = first.slotOffset else {
      return reported + range.lowerBound < begin + timeline.part ? .anywhere : .none
    }
    return .after(begin + offset - reported, room: room)
  }
}
