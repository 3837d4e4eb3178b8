import Media
import NIOCore
import Packager
import Picture

/// Brings the pictures that begin to show to `latest.jpg` and to those who listen.
///
/// Recorded pictures are announced like live ones. Under a veil they come when the camera's stills come or, where the
/// recording is in another step, in the rhythm in which these came lately.
struct Announcer: Sendable {
  private let camera: Camera
  private var rhythm = StillRhythm()
  private var previous = Director.Source.live
  private var entered = Director.Source.live
  private var shown: ByteBuffer?

  init(camera: Camera) { self.camera = camera }

  /// Notes when stills came, in the clock's own time.
  ///
  /// - Parameter isTold: whether they are shown.
  mutating func note(_ arrivals: [Ticks], collectedFrom: Ticks, isTold: Bool) {
    rhythm.note(arrivals, collectedFrom: collectedFrom, isTold: isTold)
  }

  /// Whether the camera's next still follows what was told last as its stills do.
  var isInStep: Bool { rhythm.isInStep }

  /// How long after the collecting for a slot has begun a still of this camera can be expected; `nil` where none is.
  func expectedSince(_ collectedFrom: Ticks) -> Ticks? {
    guard let time = rhythm.expected(from: collectedFrom), time < collectedFrom + camera.settings.timeline.part else {
      return nil
    }
    return time - collectedFrom
  }

  /// Whether a recording can go on in the camera's rhythm when its first slot takes the place of these stills.
  ///
  /// - Parameters:
  ///   - last: when the newest of them came.
  ///   - collectedFrom: when the collecting for the slot began.
  func canGoOn(_ recording: Loop.Segment, after last: Ticks, collectedFrom: Ticks) -> Bool {
    let timeline = camera.settings.timeline
    let steps = timeline.stepsPerPart
    let since = recording.changes.last { $0.step < steps }?.since
    let shift = since.map { last - (collectedFrom + $0) }
    guard let next = recording.changes.first(where: { $0.step >= steps }) else {
      // What comes next is not known; the less the times are shifted the better they fit into their slots.
      if let shift { return abs(shift.count) <= timeline.part.count / 4 }
      return rhythm.canFollow(last, in: collectedFrom + timeline.segment..<Ticks(.max))
    }
    let begin = collectedFrom + timeline.part * Int64(next.step / steps)
    let slot = begin..<begin + timeline.part
    if let shift, let nextSince = next.since { return slot.contains(begin + nextSince + shift) }
    return rhythm.canFollow(last, in: slot)
  }

  /// Notes that another segment begins to show.
  mutating func changes(from old: Scene, to new: Scene) {
    previous = old.source
    entered = new.source
    guard camera.settings.marksRecorded, old.source.isRecorded != new.source.isRecorded else { return }
    let word = new.source.isRecorded ? "recorded" : "live"
    camera.edge.announce(.source, at: camera.clock.wall(), json: "{\"source\":\"\(word)\"}")
  }

  /// Whether the first slot of a live segment follows the loop of an off camera, whose last picture must not stay.
  func isReturning(to scene: Scene) -> Bool {
    !scene.source.isRecorded && previous.isRecorded && previous != .veiled
  }

  /// Dates the pictures of an off camera's loop: they show now.
  func date(_ content: inout SlotContent, wall: WallTime) {
    for index in content.changes.indices { content.changes[index].time = wall }
  }

  /// Dates recorded pictures under a veil: those that take the place of stills came when these did, the others when
  /// stills of this camera could have come.
  ///
  /// - Parameters:
  ///   - stills: that came for the slot, with the steps at which they would show.
  ///   - collectedFrom: when the collecting for the slot began.
  ///   - begins: when the slot begins, in the clock's own time; in civil time it is `wall`.
  mutating func date(
    _ content: inout SlotContent, inPlaceOf stills: [(step: Int, still: Still)], collectedFrom: Ticks, begins: Ticks,
    wall: WallTime
  ) {
    let (settings, changes) = (camera.settings, content.changes)
    let arrivals = stills.map { $0.still.arrival + settings.delay }
    rhythm.note(arrivals, collectedFrom: collectedFrom, isTold: false)
    let isInPlace = changes.map(\.step) == stills.map(\.step) && arrivals.first.map(rhythm.isNatural) ?? true
    let times =
      isInPlace
      ? arrivals
      : rhythm.arrivals(
        at: changes.map(\.step), recorded: changes.map { $0.since.map { collectedFrom + $0 } },
        collectedFrom: collectedFrom, step: settings.timeline.step, count: settings.timeline.stepsPerPart)
    for (index, time) in times.enumerated() {
      rhythm.tell(time, recorded: changes[index].since.map { collectedFrom + $0 })
      // A live still bears the time at which it came, however long it was kept back.
      content.changes[index].time =
        isInPlace ? stills[index].still.wallTime : wall.advanced(by: time - settings.delay - begins)
    }
  }

  /// Shows the picture that the loop of an off camera is entered with, where the slot does not bring one itself.
  func enter(_ scene: Scene, part: Int, content: inout SlotContent, wall: WallTime) {
    guard part == 0, !previous.isRecorded || previous == .veiled, content.changes.first?.step != 0,
      let recording = scene.recording
    else { return }
    content.changes.insert(.init(step: 0, jpeg: recording.opening, time: wall), at: 0)
  }

  /// Shows the newest of the pictures as the latest one and tells the listeners of every one. A loop of one picture
  /// is no news each time that it comes round.
  mutating func announce(_ changes: [SlotContent.Change], of scene: Scene, publisher: inout StreamPublisher) {
    let isLoop = scene.source.isRecorded && scene.source != .veiled
    let news = changes.filter { !$0.isTold && (!isLoop || $0.jpeg != shown) }
    if let newest = news.last(where: { $0.jpeg != nil }), let jpeg = newest.jpeg {
      publisher.show(jpeg, photo: newest.photo, time: newest.time)
      shown = jpeg
    }
    for change in news {
      let size = change.photo?.size ?? camera.settings.picture.size
      let jpeg = change.photo?.jpeg ?? change.jpeg
      // Under the veil recorded pictures become photos as live ones do. A loop that all see comes round and round.
      let photo = isLoop ? nil : jpeg.flatMap { camera.photos.keep($0, time: change.time, size: size) }
      camera.edge.announce(
        .still, at: change.time,
        json: "{\"time\":\"\(change.time.iso8601)\",\"bytes\":\(jpeg?.readableBytes ?? 0),"
          + "\"width\":\(size.width),\"height\":\(size.height)"
          + (photo.map { ",\"photo\":\"\($0)\"" } ?? "") + "}")
    }
  }
}
