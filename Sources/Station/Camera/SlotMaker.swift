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
      announcer.note(slot.arrivals, collectedFrom: slot.collectedFrom, isReported: true)
      guard var content = coder.code(slot, startsSegment: part == 0, standing: standing) else { return nil }
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
      let recorded = segment?.slot(part, settings.timeline)
      if part == 0, let segment, let recorded { enterVeil(&programme, slot, segment, recorded) }
      guard programme.playsUnderVeil else {
        announcer.note(slot.arrivals, collectedFrom: slot.collectedFrom, isReported: true)
        return coder.cover(slot, startsSegment: part == 0, with: &programme.covers, standing: standing)
      }
      coder.follow(slot, isHidden: true)
      guard var content = recorded else { return nil }
      announcer.date(
        &content, inPlaceOf: slot.placed, collectedFrom: slot.collectedFrom, begins: beginning, wall: wall)
      return content
    }
  }

  private func enterVeil(
    _ programme: inout Programme, _ slot: SlotArrivals, _ segment: LoopSegment, _ recorded: SlotContent
  ) {
    let placed = slot.placed
    guard let last = placed.last else { return }
    programme.enterVeil(
      places: placed.map(\.step), recorded: recorded.changes.map(\.step),
      canGoOn: announcer.canGoOn(
        segment, after: last.still.arrival + settings.delay, collectedFrom: slot.collectedFrom))
  }

  /// What is expected of the camera's stills in the slot for which the collecting begins then.
  func outlook(from collectedFrom: Ticks) -> StillOutlook { announcer.outlook(from: collectedFrom) }

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

  /// Forgets the picture that the coder holds.
  mutating func forget() { coder.forget() }
}
