import Logging
import Media
import NIOCore
import Packager
import Picture

/// What one camera does, slot after slot: takes the stills that came, codes them or plays the loop, packages and
/// publishes.
///
/// All of the camera's state machines and FFmpeg's workers live in it, and one task runs it on the encode threads.
struct CameraLoop: ~Copyable {
  private let camera: Camera
  private let mirror: Mirror?
  private let logger: Logger
  private var coder: LiveCoder
  private var publisher: StreamPublisher
  private var clock: SlotClock
  private var director: Director
  private var player: LoopPlayer
  private var announcer: Announcer
  private var plain: PlainFeed
  /// What the current segment shows.
  private var scene: Scene
  private var collectedFrom: Ticks
  private var hasToldOfVeil = false

  /// Opens the camera's workers and publishes its first state: what an earlier life has left, or a full window of the
  /// loop, so that no player ever meets an empty playlist.
  ///
  /// - Throws: what FFmpeg refuses, with the setting in its words.
  static func open(camera: Camera, mirror: Mirror?, folder: String?, logger: Logger) throws -> CameraLoop {
    let settings = camera.settings
    let timeline = settings.timeline
    var line = try PictureLine.open(settings, logger: logger)
    let house = try Loop.builtIn(&line, timeline: timeline)
    let (now, wall) = (camera.clock.now(), camera.clock.wall())
    let recovery =
      folder.map { Recovery.read(folder: $0, timeline: timeline, now: wall, logger: logger) } ?? .fresh(now: wall)
    if let folder { recovery.claim(in: folder, timeline: timeline) }
    let lead = timeline.segment * Int64(timeline.listedSegments)
    let gap = recovery.end.map { Ticks.milliseconds(max(0, wall.milliseconds - $0.milliseconds)) } ?? lead
    // Pictures from before a long silence would be all that players see who begin behind the end.
    let isFilled = recovery.segments.count >= timeline.listedSegments && gap < lead
    let publisher = StreamPublisher(
      camera: camera, parameterSets: house.parameterSets, mirror: mirror, recovery: recovery,
      lead: isFilled ? .zero : lead, wall: wall)
    var player = LoopPlayer(builtIn: house, timeline: timeline, logger: logger) {
      folder.flatMap {
        Loop.open(folder: $0, settings: settings, parameterSets: house.parameterSets, logger: logger)
      }
    }
    player.load()
    var coder = LiveCoder(camera: camera, line: line, logger: logger)
    coder.beginAnew()
    // The house picture, or the one that stood when the earlier life ended, is held as if it had just come; with a
    // loop of the operator's the loop plays first.
    var held: Ticks? = player.isBuiltIn ? now : nil
    if let picture = recovery.picture, gap < settings.ladder.hold ?? .seconds(3600) {
      coder.restore(picture)
      held = now - gap
    }
    let director = Director(
      ladder: Ladder(settings: settings.ladder, held: held), veil: settings.veil, standing: recovery.standing)
    var loop = CameraLoop(
      camera: camera, mirror: mirror, logger: logger, coder: coder, publisher: publisher,
      clock: SlotClock(settings: timeline, next: 0, now: now), director: director, player: player,
      plain: PlainFeed(camera: camera, firstName: recovery.firstName, logger: logger),
      collectedFrom: now - timeline.part)
    loop.begin(fills: !isFilled)
    return loop
  }

  private init(
    camera: Camera, mirror: Mirror?, logger: Logger, coder: consuming LiveCoder,
    publisher: StreamPublisher, clock: SlotClock, director: Director, player: LoopPlayer, plain: consuming PlainFeed,
    collectedFrom: Ticks
  ) {
    self.camera = camera
    self.mirror = mirror
    self.logger = logger
    self.coder = coder
    self.publisher = publisher
    self.clock = clock
    self.director = director
    self.player = player
    self.plain = plain
    self.collectedFrom = collectedFrom
    announcer = Announcer(camera: camera)
    scene = Scene(source: director.source)
  }

  /// Publishes the first state.
  private mutating func begin(fills: Bool) {
    if fills { fill() }
    if camera.edge.latest == nil, let jpeg = coder.latest() {
      publisher.show(jpeg, time: camera.clock.wall())
    }
    scene = nextScene(at: camera.clock.now())
    publisher.isLive = !scene.source.isRecorded
    publisher.expect(scene)
    publisher.publish()
  }

  /// Fills the window with the loop, made in advance.
  private mutating func fill() {
    let timeline = camera.settings.timeline
    for _ in 0..<timeline.listedSegments {
      let next = recordedScene(.off)
      publisher.expect(next)
      guard let recording = next.recording else { continue }
      for part in 0..<timeline.partsPerSegment { append(recording.slot(part, timeline), wall: nil) }
      if let jpeg = recording.changes.last?.jpeg ?? Optional(recording.opening) {
        publisher.show(jpeg, time: camera.clock.wall())
      }
    }
  }

  /// Runs until the task is cancelled, then publishes what still waits and ends the stream.
  consuming func run() async {
    while !Task.isCancelled {
      let (camera, deadline) = (camera, clock.deadline)
      await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await camera.clock.sleep(deadline) }
        group.addTask { await camera.alarm.wait() }
        await group.next()
        group.cancelAll()
      }
      if Task.isCancelled { break }
      turn()
    }
    makeSlot(begins: clock.deadline)
    // Nobody waits for a slow disk.
    camera.endCommands()
    camera.edge.end()
    await mirror?.close()
  }

  /// How many slots are remembered for the playlist without parts.
  var rememberedSlots: Int { plain.rememberedSlots }

  /// Does all that is due.
  mutating func turn() {
    for (command, waiter) in camera.takeCommands() {
      carryOut(command)
      // What was withdrawn is gone from the disk too when the operator is told so.
      publisher.afterMirroring { waiter.resume(returning: true) }
    }
    plain.tend()
    for slot in clock.due(now: camera.clock.now()) { makeSlot(begins: clock.beginning(of: slot)) }
  }

  // MARK: Slots

  private mutating func makeSlot(begins beginning: Ticks) {
    let settings = camera.settings
    let timeline = settings.timeline
    let stills = camera.takeStills()
    for still in stills { director.stillArrived(at: still.arrival + settings.delay) }
    let arrangement = SlotPictures.arrange(
      arrivals: stills.map { $0.arrival + settings.delay }, collectedFrom: collectedFrom, step: timeline.step,
      count: timeline.stepsPerPart)
    let collected = collectedFrom
    collectedFrom = beginning
    let wall = camera.clock.wall().advanced(by: beginning - camera.clock.now())
    let part = publisher.nextPart
    var content: SlotContent?
    if let recording = scene.recording {
      // A veil takes its time like the pictures that it hides, or the time would tell of it.
      if scene.source == .veiled {
        _ = coder.code(stills, arrangement: arrangement, startsSegment: part == 0)
      } else if let newest = stills.last {
        _ = coder.show(newest)
      }
      coder.beginAnew()
      content = recording.slot(part, timeline)
      announcer.date(
        &content, collectedFrom: collected, begins: beginning, wall: wall, isVeiled: scene.source == .veiled)
      announcer.enter(scene, part: part, content: &content, wall: wall)
    } else {
      content = coder.code(stills, arrangement: arrangement, startsSegment: part == 0)
      announcer.note(stills.map { $0.arrival + settings.delay }, collectedFrom: collected)
      if part == 0, announcer.isReturning(to: scene), content?.changes.isEmpty == true {
        content?.changes = [.init(step: 0, jpeg: coder.latest(), time: wall)]
      }
    }
    guard let content else { return }
    let start = publisher.start
    let bytes = append(content, wall: wall)
    publisher.publish(following: following(part, timeline), plainSequence: plain.newestSequence)
    let shown = scene
    if publisher.isAtSegmentStart { endSegment() }
    announcer.announce(content.changes, of: shown, publisher: &publisher)
    plain.append(content, start: start, date: publisher.date(of: start))
    publisher.reserve(plain.nextName)
    camera.tellWaves()
    count(stills: stills.count, arranged: arrangement.count { $0 != nil }, in: shown, content: content, bytes: bytes)
  }

  /// Packages a slot. With the last of a segment it is decided what the next one shows, so that the version which
  /// closes the segment can announce it.
  @discardableResult private mutating func append(_ content: SlotContent, wall: WallTime?) -> Int {
    let appended = publisher.append(content.pictures, wall: wall)
    if let segment = appended.segment, wall != nil {
      if !scene.source.isRecorded {
        camera.recent.append(segment, of: camera.settings.timeline.segment, header: publisher.initSegment.bytes)
      }
      upcoming = nextScene(at: camera.clock.now())
      if let upcoming { publisher.expect(upcoming) }
    }
    return appended.part
  }

  private var upcoming: Scene?

  private mutating func endSegment() {
    guard let upcoming else { return }
    announcer.changes(from: scene, to: upcoming)
    scene = upcoming
    publisher.isLive = !scene.source.isRecorded
  }

  /// The slots of a recorded segment that are published together with this one: what is known can be, but not under a
  /// veil, which has to look alive. Where names come again the last part waits for its time: it closes the segment, and
  /// only then it is decided whether a discontinuity follows.
  private func following(_ part: Int, _ timeline: TimelineSettings) -> [[CodedPicture]] {
    guard let recording = scene.recording, scene.source != .veiled, part % timeline.partsAhead == 0 else { return [] }
    let count = min(part + timeline.partsAhead, timeline.partsPerSegment - (camera.settings.off == .seamless ? 0 : 1))
    return part + 1 < count ? (part + 1..<count).map { recording.slot($0, timeline).pictures } : []
  }

  private func count(stills: Int, arranged: Int, in scene: Scene, content: SlotContent, bytes: Int) {
    let isLive = !scene.source.isRecorded
    let (storeFailures, slowWrites) = (Int64(mirror?.failures ?? 0), Int64(mirror?.slowWrites ?? 0))
    let servesPlain = plain.isRunning
    camera.count { counters in
      if isLive {
        counters.displaced += Int64(stills - arranged)
        counters.shown += Int64(content.changes.count)
      } else {
        counters.unseen += Int64(stills)
      }
      counters.parts += 1
      counters.partBytes += Int64(bytes)
      counters.storeFailures = storeFailures
      counters.slowWrites = slowWrites
      counters.source = scene.source
      counters.servesPlain = servesPlain
    }
  }

  // MARK: Scenes

  /// Decides what the next segment shows.
  private mutating func nextScene(at now: Ticks) -> Scene {
    var source = director.decide(at: now)
    if source.isRecorded, !scene.source.isRecorded { player.load() }
    if source == .veiled, player.isBuiltIn {
      // The house picture in a live stream would tell of itself.
      if !hasToldOfVeil {
        logger.error("the veil cannot fall: the camera has no loop. Make one with `quietcam loop`.")
        hasToldOfVeil = true
      }
      source = .live
    }
    camera.count { $0.segments[source, default: 0] += 1 }
    if source == .live { return Scene(source: .live, isDiscontinuous: player.leave()) }
    if source == .veiled, scene.source != .veiled {
      var generator = SystemRandomNumberGenerator()
      player.enterAnywhere(using: &generator)
    }
    return recordedScene(source)
  }

  private mutating func recordedScene(_ source: Director.Source) -> Scene {
    let isCached = source != .veiled && camera.settings.off == .cached
    let next = player.advance(isCached ? .cached : .seamless)
    return Scene(
      source: source, recording: next.segment, place: next.place, isDiscontinuous: next.isDiscontinuous,
      isMarkedRecorded: camera.settings.marksRecorded)
  }

  // MARK: Commands

  mutating func carryOut(_ command: Camera.Command) {
    switch command {
    case .order(let order):
      director.take(order)
      hasToldOfVeil = false
    case .withdraw: withdraw()
    }
    publisher.standing = director.standing
    publisher.save()
    logger.notice("the operator's command is carried out", metadata: ["command": "\(command)"])
  }

  /// Makes all that can be fetched vanish, and fills the window with the loop.
  private mutating func withdraw() {
    let timeline = camera.settings.timeline
    director.withdraw()
    camera.dropStills()
    camera.recent.clear()
    camera.edge.forgetEvents()
    plain.withdraw()
    coder.forget()
    _ = player.leave()
    player.load()
    publisher.withdraw(
      lead: timeline.segment * Int64(timeline.listedSegments),
      wall: camera.clock.wall().advanced(by: clock.deadline - camera.clock.now()))
    publisher.isLive = false
    fill()
    let next = nextScene(at: camera.clock.now())
    publisher.expect(next)
    announcer.changes(from: scene, to: next)
    scene = next
    camera.count { $0.source = next.source }
    publisher.publish()
  }
}

extension TimelineSettings {
  /// How many parts of a recording are published at once. The blocking reload for the next one waits for so long, and
  /// hls.js takes a reload of more than three parts, or eight tenths of a target duration, or ten seconds for lost.
  fileprivate var partsAhead: Int {
    max(1, min(max(2, partsPerSegment / 2), Int(Ticks.seconds(8).floorDivided(by: part))))
  }
}

extension Loop.Segment {
  /// The content of one of its slots.
  func slot(_ part: Int, _ timeline: TimelineSettings) -> SlotContent {
    let first = part * timeline.stepsPerPart
    let range = first..<first + timeline.stepsPerPart
    return SlotContent(
      pictures: Array(pictures[range]),
      changes: changes.filter { range.contains($0.step) }.map { change in
        SlotContent.Change(step: change.step - first, jpeg: change.jpeg, time: WallTime(milliseconds: 0))
      })
  }
}
