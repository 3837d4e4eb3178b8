import Media
import NIOCore
import Packager
import Picture

/// Brings the pictures that begin to show to `latest.jpg` and to those who listen.
///
/// Recorded pictures are announced like live ones. Under a veil they come in the rhythm in which live stills came
/// lately, because their own would be too even.
struct Announcer: Sendable {
  private let camera: Camera
  private var rhythm = StillRhythm()
  private var previous = Director.Source.live
  private var entered = Director.Source.live
  private var shown: ByteBuffer?

  init(camera: Camera) { self.camera = camera }

  /// Notes when live stills came, in the clock's own time.
  mutating func note(_ arrivals: [Ticks], collectedFrom: Ticks) {
    rhythm.note(arrivals, collectedFrom: collectedFrom)
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

  /// Puts dates to recorded pictures.
  ///
  /// - Parameters:
  ///   - collectedFrom: when the collecting for their slot began.
  ///   - begins: when the slot begins, in the clock's own time; in civil time it is `wall`.
  mutating func date(
    _ content: inout SlotContent?, collectedFrom: Ticks, begins: Ticks, wall: WallTime, isVeiled: Bool
  ) {
    guard let changes = content?.changes else { return }
    let settings = camera.settings
    let times = rhythm.arrivals(
      at: isVeiled ? changes.map(\.step) : [], collectedFrom: collectedFrom, step: settings.timeline.step,
      count: settings.timeline.stepsPerPart)
    content?.changes = changes.enumerated().map { index, change in
      // A live still bears the time at which it came, however long it was kept back.
      let time = isVeiled ? wall.advanced(by: times[index] - settings.delay - begins) : camera.clock.wall()
      return SlotContent.Change(step: change.step, jpeg: change.jpeg, time: time)
    }
  }

  /// Shows the picture that a loop is entered with, where the slot does not bring one itself. Under a veil it waits
  /// for its next picture, as a camera would.
  mutating func enter(_ scene: Scene, part: Int, content: inout SlotContent?, wall: WallTime) {
    guard part == 0, scene.source != .veiled, !previous.isRecorded || previous == .veiled,
      content?.changes.contains(where: { $0.step == 0 }) == false, let recording = scene.recording
    else { return }
    content?.changes.insert(.init(step: 0, jpeg: recording.opening, time: wall), at: 0)
  }

  /// Shows the newest of the pictures as the latest one and tells the listeners of every one. A loop of one picture
  /// is no news each time that it comes round.
  mutating func announce(_ changes: [SlotContent.Change], of scene: Scene, publisher: inout StreamPublisher) {
    let isLoop = scene.source.isRecorded && scene.source != .veiled
    let news = changes.filter { !$0.isTold && (!isLoop || $0.jpeg != shown) }
    if let newest = news.last(where: { $0.jpeg != nil }), let jpeg = newest.jpeg {
      publisher.show(jpeg, time: newest.time)
      shown = jpeg
    }
    let size = camera.settings.picture.size
    for change in news {
      camera.edge.announce(
        .still, at: change.time,
        json: "{\"time\":\"\(change.time.iso8601)\",\"bytes\":\(change.jpeg?.readableBytes ?? 0),"
          + "\"width\":\(size.width),\"height\":\(size.height)}")
    }
  }
}
