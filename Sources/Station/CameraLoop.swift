import Logging
import Media
import NIOCore
import Packager
import Picture

/// What one camera does, slot after slot: takes the stills that came, codes them, packages and publishes.
///
/// All of the camera's state machines and FFmpeg's workers live in it, and one task runs it on the encode threads.
struct CameraLoop: ~Copyable {
  private let camera: Camera
  private let mirror: Mirror?
  private let logger: Logger
  private var line: PictureLine
  private var publisher: StreamPublisher
  private var clock: SlotClock
  private var collectedFrom: Ticks

  /// Opens the camera's workers and publishes its first state: a full window of the house picture, so that no player
  /// ever meets an empty playlist.
  ///
  /// - Throws: what FFmpeg refuses, with the setting in its words.
  static func open(camera: Camera, mirror: Mirror?, folder: String?, logger: Logger) throws -> CameraLoop {
    let timeline = camera.settings.timeline
    var line = try PictureLine.open(camera.settings, logger: logger)
    // One segment of the house picture is coded and stands in the window as often as it takes to fill it.
    var house: [CodedPicture] = []
    for _ in 0..<timeline.stepsPerPart * timeline.partsPerSegment { house.append(try line.encode(.repeated)) }
    guard let parameterSets = line.parameterSets else {
      throw FFmpegError(code: FFmpegError.invalidData, call: "libx264 gave no parameter sets with its first picture")
    }
    let now = camera.clock.now()
    var publisher = StreamPublisher(
      camera: camera, parameterSets: parameterSets, mirror: mirror, folder: folder,
      lead: timeline.segment * Int64(timeline.listedSegments), wall: camera.clock.wall(), logger: logger)
    for part in 0..<timeline.partsPerSegment * timeline.listedSegments {
      let first = part % timeline.partsPerSegment * timeline.stepsPerPart
      _ = publisher.append(Array(house[first..<first + timeline.stepsPerPart]), wall: nil)
    }
    publisher.publish(removing: [])
    publisher.show(try line.jpeg(), time: camera.clock.wall())
    let clock = SlotClock(settings: timeline, next: publisher.nextSlot, now: now)
    return CameraLoop(
      camera: camera, mirror: mirror, logger: logger, line: line, publisher: publisher, clock: clock,
      collectedFrom: now - timeline.part)
  }

  private init(
    camera: Camera, mirror: Mirror?, logger: Logger, line: consuming PictureLine, publisher: StreamPublisher,
    clock: SlotClock, collectedFrom: Ticks
  ) {
    self.camera = camera
    self.mirror = mirror
    self.logger = logger
    self.line = line
    self.publisher = publisher
    self.clock = clock
    self.collectedFrom = collectedFrom
  }

  /// Runs until the task is cancelled, then publishes what still waits and ends the stream.
  consuming func run() async {
    while !Task.isCancelled {
      try? await camera.clock.sleep(clock.deadline)
      if Task.isCancelled { break }
      for slot in clock.due(now: camera.clock.now()) { makeSlot(begins: clock.beginning(of: slot)) }
    }
    makeSlot(begins: clock.deadline)
    await mirror?.close()
    camera.edge.end()
  }

  private mutating func makeSlot(begins beginning: Ticks) {
    let timeline = camera.settings.timeline
    let stills = camera.takeStills()
    let arrangement = SlotPictures.arrange(
      arrivals: stills.map(\.arrival), collectedFrom: collectedFrom, step: timeline.step, count: timeline.stepsPerPart)
    collectedFrom = beginning
    var pictures: [CodedPicture] = []
    var shown: [(still: Still, jpeg: ByteBuffer?)] = []
    do {
      for index in arrangement {
        let still = index.flatMap { show(stills[$0]) ? stills[$0] : nil }
        let isFirst = pictures.isEmpty && publisher.isAtSegmentStart
        pictures.append(try line.encode(isFirst ? .idr : still == nil ? .repeated : .new))
        if let still { shown.append((still, latestJPEG())) }
      }
    } catch {
      // Without its pictures the slot cannot be made. The clock goes on, and the next slot takes this one's place on
      // the media timeline: late, but without a gap.
      line.beginAnew()
      logger.critical("no picture can be coded; the stream stands still: \(error)")
      return
    }
    let wall = camera.clock.wall().advanced(by: beginning - camera.clock.now())
    let appended = publisher.append(pictures, wall: wall)
    publisher.publish(removing: appended.retired)
    announce(shown)
    camera.tellWaves()
    let passedOver = Int64(stills.count - arrangement.count { $0 != nil })
    let (shownCount, storeFailures) = (Int64(shown.count), Int64(mirror?.failures ?? 0))
    camera.count { counters in
      counters.displaced += passedOver
      counters.shown += shownCount
      counters.parts += 1
      counters.partBytes += Int64(appended.part)
      counters.storeFailures = storeFailures
    }
  }

  /// Makes a still the current picture; `false`, counted and logged, when it does not decode: the picture before stays.
  private mutating func show(_ still: Still) -> Bool {
    do {
      try line.show(still)
      return true
    } catch {
      let count = camera.count { counters in
        counters.undecodable += 1
        return counters.undecodable
      }
      // The first of a series tells the operator; the counter tells the rest.
      logger.log(
        level: count & (count - 1) == 0 ? .warning : .debug,
        "a still was taken and cannot be shown (\(count) so far): \(error)")
      return false
    }
  }

  /// The current picture for `latest.jpg`; `nil`, logged, where it cannot be coded.
  private mutating func latestJPEG() -> ByteBuffer? {
    do {
      return try line.jpeg()
    } catch {
      logger.error("latest.jpg stays as it is: \(error)")
      return nil
    }
  }

  /// Shows the newest picture as the latest one and tells the listeners of every still that is on the screens now.
  private mutating func announce(_ shown: [(still: Still, jpeg: ByteBuffer?)]) {
    if let newest = shown.last(where: { $0.jpeg != nil }), let jpeg = newest.jpeg {
      publisher.show(jpeg, time: newest.still.wallTime)
    }
    let size = camera.settings.picture.size
    for (still, jpeg) in shown {
      camera.edge.announce(
        .still, at: still.wallTime,
        json: "{\"time\":\"\(still.wallTime.iso8601)\",\"bytes\":\(jpeg?.readableBytes ?? 0),"
          + "\"width\":\(size.width),\"height\":\(size.height)}")
    }
  }
}
