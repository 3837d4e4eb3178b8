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
  private var rhythm = StillRhythm()
  /// What is shown, and what was shown before.
  private var current = Director.Source.live
  private var previous = Director.Source.live
  private var shown: ByteBuffer?

  init(_ settings: CameraSettings) { self.settings = settings }

  /// Forgets the newest picture.
  mutating func forget() { shown = nil }

  /// Notes when stills came, in the clock's own time.
  ///
  /// - Parameter isReported: whether they are shown.
  mutating func note(_ arrivals: [Ticks], collectedFrom: Ticks, isReported: Bool) {
    rhythm.note(arrivals, collectedFrom: collectedFrom, isReported: isReported)
  }

  /// What is expected of the camera's stills in the slot for which the collecting begins then.
  func outlook(from collectedFrom: Ticks) -> StillOutlook {
    let expected = rhythm.expected(from: collectedFrom)
    return StillOutlook(
      isInStep: rhythm.isInStep,
      slotOffset: expected.flatMap { $0 < collectedFrom + settings.timeline.part ? $0 - collectedFrom : nil })
  }

  /// Whether the loop can continue in the camera's rhythm when its first slot takes the place of these stills.
  ///
  /// - Parameters:
  ///   - last: when the newest of them came.
  ///   - collectedFrom: when the slot began to collect stills.
  func canGoOn(_ segment: LoopSegment, after last: Ticks, collectedFrom: Ticks) -> Bool {
    let timeline = settings.timeline
    let steps = timeline.stepsPerPart
    let slotOffset = segment.changes.last { $0.step < steps }?.slotOffset
    let shift = slotOffset.map { last - (collectedFrom + $0) }
    guard let next = segment.changes.first(where: { $0.step >= steps }) else {
      // What comes next is not known; the less the times are shifted, the better they fit into their slots.
      if let shift { return abs(shift.count) <= timeline.part.count / 4 }
      return rhythm.canFollow(last, in: collectedFrom + timeline.segment..<Ticks(.max))
    }
    let begin = collectedFrom + timeline.part * Int64(next.step / steps)
    let slot = begin..<begin + timeline.part
    if let shift, let nextOffset = next.slotOffset { return slot.contains(begin + nextOffset + shift) }
    return rhythm.canFollow(last, in: slot)
  }

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

  /// Dates pictures of the loop under a veil: those that replace stills came when these did, the others when stills of
  /// this camera could have come.
  ///
  /// - Parameters:
  ///   - stills: that came for the slot, with the steps at which they would show.
  ///   - collectedFrom: when the slot began to collect stills.
  ///   - begins: when the slot begins, in the clock's own time; in wall clock time it is `wall`.
  mutating func date(
    _ content: inout SlotContent, inPlaceOf stills: [(step: Int, still: Still)], collectedFrom: Ticks, begins: Ticks,
    wall: WallTime
  ) {
    let changes = content.changes
    let arrivals = stills.map { $0.still.arrival + settings.delay }
    rhythm.note(arrivals, collectedFrom: collectedFrom, isReported: false)
    let isInPlace = changes.map(\.step) == stills.map(\.step) && arrivals.first.map(rhythm.isNatural) ?? true
    let times =
      isInPlace
      ? arrivals
      : rhythm.arrivals(
        at: changes.map(\.step), recorded: changes.map { $0.slotOffset.map { collectedFrom + $0 } },
        collectedFrom: collectedFrom, step: settings.timeline.step, count: settings.timeline.stepsPerPart)
    for (index, time) in times.enumerated() {
      rhythm.report(time, recorded: changes[index].slotOffset.map { collectedFrom + $0 })
      // A live still has its time of arrival, however long it was kept back.
      content.changes[index].time =
        isInPlace ? stills[index].still.wallTime : wall.advanced(by: time - settings.delay - begins)
    }
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
