import Media
import NIOCore
import Packager

/// Makes what a slot shows, as the programme asks for it: out of the camera's stills, of the loop, or of the loop in
/// place of the stills.
struct SlotMaker: ~Copyable {
  private let settings: CameraSettings
  private(set) var coder: LiveCoder
  private(set) var announcer: Announcer

  init(_ settings: CameraSettings, coder: consuming LiveCoder) {
    self.settings = settings
    self.coder = coder
    announcer = Announcer(settings)
  }

  /// Takes the level for what is encoded from the next segment on.
  mutating func take(_ level: LoadLevel) { coder.level = level }

  /// How far the encoder is stepped down now; `nil` while there is none.
  var codedLevel: LoadLevel? { coder.codedLevel }

  /// How often an encoder was opened.
  var openings: Int { coder.openings }

  /// Whether the slate is shown and there is no encoder.
  var showsSlate: Bool { coder.showsSlate }

  /// Notes whether the next slot's work is late.
  mutating func hurry(_ isLate: Bool) { coder.isHurried = isLate }

  /// Notes whether a veil can begin.
  mutating func note(mayBeVeiled: Bool) { coder.mayRelease = !mayBeVeiled }

  /// What a slot shows; `nil` where its pictures cannot be made.
  ///
  /// - Parameters:
  ///   - part: the index of the slot's part in its segment.
  ///   - beginning: when the slot begins, in the clock's own time; in civil time it is `wall`.
  ///   - standing: the picture that is shown, in the stream's size.
  mutating func content(
    of slot: SlotArrivals, _ programme: inout Programme, part: Int, begins beginning: Ticks, wall: WallTime,
    standing: ByteBuffer?
  ) -> SlotContent? {
    switch programme.segmentContent {
    case .live:
      guard var content = live(slot, part: part, standing: standing) else { return nil }
      if part == 0, announcer.isReturning, content.changes.isEmpty {
        content.changes = [ShownPicture(step: 0, jpeg: coder.latest(), photo: coder.photo, time: wall)]
      }
      return content
    case .off(let segment, _), .paused(let segment, _):
      coder.follow(slot)
      announcer.note(slot.arrivals, collectedFrom: slot.collectedFrom, isReported: false)
      var content = segment.slot(part, settings.timeline)
      announcer.date(&content, of: segment, part: part, wall: wall)
      return content
    case .veiled(let segment):
      if part > 0, let segment, announcer.isSilent(after: slot) {
        programme.stand(after: segment.pictures[part * settings.timeline.stepsPerPart - 1])
      }
      // Where stills are covered, the stream is encoded live anyway.
      if announcer.isInStep(at: slot.collectedFrom) { programme.reveal() }
      switch programme.veilMode {
      case .revealing: return live(slot, part: part, standing: standing)
      case .covering:
        return cover(slot, &programme, part: part, begins: beginning, wall: wall, standing: standing)
      case .standing:
        coder.follow(slot, isHidden: true)
        announcer.note(slot.arrivals, collectedFrom: slot.collectedFrom, isReported: false)
        return programme.unchanged(part: part, settings.timeline)
      case .playing(let shift):
        coder.follow(slot, isHidden: true)
        guard var content = segment?.slot(part, settings.timeline) else { return nil }
        let times = announcer.date(&content, inPlaceOf: slot, shift: shift, begins: beginning, wall: wall)
        for time in times { programme.stillReported(at: time) }
        return content
      }
    }
  }

  /// A slot that shows the stills that came.
  private mutating func live(_ slot: SlotArrivals, part: Int, standing: ByteBuffer?) -> SlotContent? {
    announcer.note(slot.arrivals, collectedFrom: slot.collectedFrom, isReported: true)
    return coder.code(slot, part: part, standing: standing)
  }

  /// A slot in which pictures of the loop cover the stills that came.
  private mutating func cover(
    _ slot: SlotArrivals, _ programme: inout Programme, part: Int, begins beginning: Ticks, wall: WallTime,
    standing: ByteBuffer?
  ) -> SlotContent? {
    let timeline = settings.timeline
    let times = announcer.cover(slot)
    let steps = SlotPictures.arrange(
      arrivals: times, collectedFrom: slot.collectedFrom, step: timeline.step, count: timeline.stepsPerPart)
    let content = coder.cover(
      slot, at: steps.map { $0 != nil }, startsSegment: part == 0, with: &programme.covers, standing: standing)
    guard var content else { return nil }
    for (index, change) in content.changes.enumerated() {
      guard let still = steps[change.step] else { continue }
      let time = times[still]
      // A still that is covered at its own time has the civil time that it came at.
      let own = slot.arrivals.firstIndex(of: time).map { slot.stills[$0].still.wallTime }
      content.changes[index].time = own ?? wall.advanced(by: time - settings.delay - beginning)
      announcer.report(time)
      programme.stillReported(at: time)
    }
    return content
  }

  /// What is expected of the camera's stills in the slot for which the collecting begins then.
  ///
  /// - Parameter isAhead: whether more stills can be reported before.
  func outlook(from collectedFrom: Ticks, isAhead: Bool = false) -> StillOutlook {
    announcer.outlook(from: collectedFrom, isAhead: isAhead)
  }

  /// The pictures among these that are news; see `Announcer.news`.
  mutating func news(in changes: [ShownPicture]) -> [ShownPicture] { announcer.news(in: changes) }

  /// Whether pictures that are shown now are kept as photos.
  var keepsPhotos: Bool { announcer.keepsPhotos }

  /// Notes that another segment begins to show; see `Announcer.begin`.
  mutating func begin(_ source: Director.Source, isFirst: Bool) -> CameraEvent.Content? {
    announcer.begin(source, isFirst: isFirst)
  }

  /// Makes a still the latest picture before its slot; `nil` where it does not decode.
  mutating func showEarly(_ still: inout ArrivedStill) -> ShownPicture? {
    coder.showEarly(&still).map { jpeg in
      ShownPicture(step: 0, jpeg: jpeg, photo: coder.photo, time: still.still.wallTime)
    }
  }

  /// The picture that the coder holds.
  mutating func current(at time: WallTime) -> ShownPicture {
    ShownPicture(step: 0, jpeg: coder.latest(), photo: coder.photo, time: time)
  }

  /// Forgets all pictures, because they were withdrawn.
  mutating func withdraw() {
    announcer.forget()
    coder.withdraw()
  }
}
