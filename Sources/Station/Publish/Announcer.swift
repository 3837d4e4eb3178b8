import Media
import NIOCore
import Packager
import Picture

/// Decides which of the pictures that begin to show are new for `latest.jpg` and for listeners, and dates them.
///
/// Pictures of the loop are reported like live ones. Under a veil they come when the camera's stills come or, if the
/// loop is in another step, in the recent rhythm of the camera's stills.
struct Announcer: Sendable {
  private let settings: CameraSettings
  private var rhythm: StillRhythm
  /// What is shown, and what was shown before.
  private var current = Director.Source.live
  private var previous = Director.Source.live
  private var shown: ByteBuffer?

  init(_ settings: CameraSettings) {
    self.settings = settings
    rhythm = StillRhythm(hold: settings.presence.hold)
  }

  /// Forgets the newest picture.
  mutating func forget() { shown = nil }

  /// Notes when stills came, in the clock's own time.
  ///
  /// - Parameter isReported: whether they are shown.
  mutating func note(_ arrivals: [Ticks], collectedFrom: Ticks, isReported: Bool) {
    rhythm.note(arrivals, collectedFrom: collectedFrom, isReported: isReported)
  }

  /// What is expected of the camera's stills in the slot for which the collecting begins then.
  ///
  /// - Parameter isAhead: whether more stills can be reported before.
  func outlook(from collectedFrom: Ticks, isAhead: Bool) -> StillOutlook {
    StillOutlook(
      isInStep: rhythm.isInStep(at: collectedFrom), isSilent: rhythm.isSilent(at: collectedFrom),
      seam: LoopSeam(
        isAhead ? rhythm.expected(before: collectedFrom) : rhythm, collectedFrom: collectedFrom,
        timeline: settings.timeline))
  }

  /// Whether the camera's next still follows what was told of its stills in its rhythm.
  func isInStep(at time: Ticks) -> Bool { rhythm.isInStep(at: time) }

  /// Whether the camera has stopped, as far as can be known at the end of this slot.
  func isSilent(after slot: SlotArrivals) -> Bool {
    var rhythm = rhythm
    rhythm.note(slot.arrivals, collectedFrom: slot.collectedFrom, isReported: false)
    return rhythm.isSilent(at: slot.collectedFrom + settings.timeline.part)
  }

  /// When the pictures come that cover the stills of a slot; see `StillRhythm.covers`.
  mutating func cover(_ slot: SlotArrivals) -> [Ticks] {
    rhythm.note(slot.arrivals, collectedFrom: slot.collectedFrom, isReported: false)
    return rhythm.covers(
      of: slot.arrivals, collectedFrom: slot.collectedFrom, end: slot.collectedFrom + settings.timeline.part)
  }

  /// Notes that viewers are told of a still that came then.
  mutating func report(_ time: Ticks) { rhythm.report(time) }

  /// Notes that another segment begins to show.
  ///
  /// - Parameter isFirst: whether nothing was shown before it in this life of the process.
  /// - Returns: the event for listeners, if any.
  mutating func begin(_ source: Director.Source, isFirst: Bool) -> CameraEvent.Content? {
    if !isFirst { previous = current }
    current = source
    guard settings.marksRecorded, !isFirst, previous.isRecorded != source.isRecorded else { return nil }
    return .source(isRecorded: source.isRecorded)
  }

  /// Whether the live segment that is shown follows the loop of an off camera, whose last picture must not stay.
  var isReturning: Bool { previous.isRecorded && previous != .veiled }

  /// Dates the pictures of an off camera's loop: they show now. With the first slot of the loop comes the picture that
  /// stands there, where the slot does not bring one itself.
  func date(_ content: inout SlotContent, of segment: LoopSegment, part: Int, wall: WallTime) {
    if part == 0, !previous.isRecorded || previous == .veiled, content.changes.first?.step != 0 {
      content.changes.insert(ShownPicture(step: 0, jpeg: segment.opening), at: 0)
    }
    for index in content.changes.indices { content.changes[index].time = wall }
  }

  /// Dates pictures of the loop under a veil: at their own times, or when stills of this camera could have come. Where
  /// these times are not known, pictures that replace stills came when these did.
  ///
  /// - Parameters:
  ///   - slot: the stills that came.
  ///   - shift: how much later they are said to have come than in the loop; `nil` leaves their own times unknown.
  ///   - begins: when the slot begins, in the clock's own time; in wall clock time it is `wall`.
  /// - Returns: these times, in the clock's own time.
  mutating func date(
    _ content: inout SlotContent, inPlaceOf slot: SlotArrivals, shift: Ticks, begins: Ticks, wall: WallTime
  ) -> [Ticks] {
    let (changes, placed, collectedFrom) = (content.changes, slot.placed, slot.collectedFrom)
    let arrivals = placed.map { $0.still.arrival + settings.delay }
    rhythm.note(slot.arrivals, collectedFrom: collectedFrom, isReported: false)
    let known = changes.map { change in change.slotOffset.map { collectedFrom + $0 + shift } }
    let isInPlace =
      known.contains(nil) && changes.map(\.step) == placed.map(\.step) && arrivals.first.map(rhythm.isNatural) ?? true
    let times =
      isInPlace
      ? arrivals
      : rhythm.arrivals(
        at: changes.map(\.step), known: known, collectedFrom: collectedFrom, step: settings.timeline.step,
        count: settings.timeline.stepsPerPart)
    for (index, time) in times.enumerated() {
      rhythm.report(time)
      // A live still has its time of arrival, however long it was kept back.
      content.changes[index].time =
        isInPlace ? placed[index].still.wallTime : wall.advanced(by: time - settings.delay - begins)
    }
    return times
  }

  /// Whether pictures that are shown now are kept as photos.
  var keepsPhotos: Bool { !current.isRecorded || current == .veiled }

  /// The new ones among these pictures. The picture of a loop with one picture is not new in each round.
  mutating func news(in changes: [ShownPicture]) -> [ShownPicture] {
    let isLoop = current.isRecorded && current != .veiled
    let news = changes.filter { !$0.isReported && (!isLoop || $0.jpeg != shown) }
    shown = news.last { $0.jpeg.readableBytes > 0 }?.jpeg ?? shown
    return news
  }
}
