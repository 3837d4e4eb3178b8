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
  /// The stills that were shown as the latest picture before their slot.
  private var early: [ArrivedStill] = []
  private var veiling = Veiling()
  /// Whether the coder holds a picture that the veil hides, and not the one that is shown.
  private var holdsHidden = false
  private var hasToldOfVeil = false
  /// What the current segment has shown so far, where it is live.
  private var remembered: RecentMedia.Segment?

  /// A loop of these parts that has published nothing; `open` makes it.
  init(
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
  ///
  /// - Parameter fills: whether the loop fills the window first.
  mutating func begin(fills: Bool) {
    if fills { fill() }
    if camera.edge.latest == nil, let jpeg = coder.latest() {
      publisher.show(jpeg, photo: coder.photo, time: camera.clock.wall())
    }
    let first = nextScene(at: camera.clock.now())
    publisher.expect(first)
    enter(first, isFirst: true)
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
      let (camera, deadline) = (camera, min(clock.deadline, plain.deadline ?? clock.deadline))
      await withTaskGroup(of: Void.self) { group in
        group.addTask { try? await camera.clock.sleep(deadline) }
        group.addTask { await camera.signal.wait() }
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
      publisher.afterMirroring { [photos = camera.photos] in
        photos.afterWriting { waiter.resume(returning: true) }
      }
    }
    if camera.settings.showsAtOnce { showAtOnce() }
    plain.tend(&publisher)
    for slot in clock.due(now: camera.clock.now()) { makeSlot(begins: clock.beginning(of: slot)) }
  }

  /// Shows the stills that have come as the latest picture, where the slot that they go into shows the camera.
  private mutating func showAtOnce() {
    guard !scene.source.isRecorded, camera.settings.delay == .zero else { return }
    for var still in camera.takeStills() where coder.showEarly(&still) {
      let change = SlotContent.Change(
        step: 0, jpeg: still.shown?.jpeg, photo: still.shown?.picture.photo, time: still.still.wallTime)
      announcer.announce([change], of: scene, publisher: &publisher)
      early.append(still)
    }
  }

  // MARK: Slots

  private mutating func makeSlot(begins beginning: Ticks) {
    let settings = camera.settings
    let timeline = settings.timeline
    let stills = early + camera.takeStills()
    early.removeAll()
    let arrivals = stills.map { $0.still.arrival + settings.delay }
    for arrival in arrivals { director.stillArrived(at: arrival) }
    let arrangement = SlotPictures.arrange(
      arrivals: arrivals, collectedFrom: collectedFrom, step: timeline.step, count: timeline.stepsPerPart)
    let collected = collectedFrom
    collectedFrom = beginning
    let wall = camera.clock.wall().advanced(by: beginning - camera.clock.now())
    let part = publisher.nextPart
    let places = arrangement.enumerated().compactMap { step, index in
      index.map { (step: step, still: stills[$0].still) }
    }
    var content: SlotContent?
    switch scene.source {
    case .veiled:
      content = veiledContent(
        stills, arrangement, places, part: part, collectedFrom: collected, begins: beginning, wall: wall)
    case .off, .paused:
      if let newest = stills.last { _ = coder.show(newest) }
      coder.forceIDR()
      holdsHidden = false
      announcer.note(arrivals, collectedFrom: collected, isTold: false)
      if var recorded = scene.recording?.slot(part, timeline) {
        announcer.date(&recorded, wall: wall)
        announcer.enter(scene, part: part, content: &recorded, wall: wall)
        content = recorded
      }
    case .live:
      showShown()
      content = coder.code(stills, arrangement: arrangement, startsSegment: part == 0)
      content?.note(places.map { ($0.step, $0.still.arrival + settings.delay - collected) })
      announcer.note(arrivals, collectedFrom: collected, isTold: true)
      if part == 0, announcer.isReturning(to: scene), content?.changes.isEmpty == true {
        content?.changes = [.init(step: 0, jpeg: coder.latest(), photo: coder.photo, time: wall)]
      }
    }
    guard let content else { return }
    let start = publisher.start
    let bytes = append(content, wall: wall)
    publisher.publish(following: following(part, timeline), plainSequence: plain.newestSequence)
    announcer.announce(content.changes, of: scene, publisher: &publisher)
    plain.append(content, start: start, begins: beginning, &publisher)
    camera.tellWaves()
    count(stills: stills.count, arranged: places.count, in: scene, content: content, bytes: bytes)
    // Reading a recording takes time, and nobody waits for it now.
    if publisher.isAtSegmentStart, let upcoming { enter(upcoming) }
  }

  /// A slot under the veil. It takes its time like the pictures that it hides, or the time would tell of it.
  private mutating func veiledContent(
    _ stills: [ArrivedStill], _ arrangement: [Int?], _ places: [(step: Int, still: Still)], part: Int,
    collectedFrom: Ticks,
    begins: Ticks, wall: WallTime
  ) -> SlotContent? {
    let (timeline, delay) = (camera.settings.timeline, camera.settings.delay)
    let recorded = scene.recording?.slot(part, timeline)
    if part == 0, let recording = scene.recording, let recorded, let last = places.last {
      veiling.enter(
        places: places.map(\.step), recorded: recorded.changes.map(\.step),
        canGoOn: announcer.canGoOn(recording, after: last.still.arrival + delay, collectedFrom: collectedFrom))
    }
    guard veiling.isPlaying else {
      showShown()
      announcer.note(stills.map { $0.still.arrival + delay }, collectedFrom: collectedFrom, isTold: true)
      return coder.cover(
        stills, arrangement: arrangement, startsSegment: part == 0, with: &veiling.covers,
        standing: camera.edge.latest?.small)
    }
    // An IDR picture in each slot would take longer: what is coded and not shown is a stream of its own.
    _ = coder.code(stills, arrangement: arrangement, startsSegment: part == 0)
    holdsHidden = true
    guard var content = recorded else { return nil }
    announcer.date(&content, inPlaceOf: places, collectedFrom: collectedFrom, begins: begins, wall: wall)
    return content
  }

  /// Makes the coder go on with the picture that is shown, where it holds one that the veil hides: it stands until the
  /// next still.
  private mutating func showShown() {
    guard holdsHidden else { return }
    if let latest = camera.edge.latest { coder.restore(latest.small) }
    coder.forceIDR()
    holdsHidden = false
  }

  /// Packages a slot. With the last of a segment it is decided what the next one shows, so that the version which
  /// closes the segment can announce it.
  @discardableResult private mutating func append(_ content: SlotContent, wall: WallTime?) -> Int {
    if wall != nil { remember(content, part: publisher.nextPart) }
    let appended = publisher.append(content.pictures, wall: wall)
    if let segment = appended.segment, wall != nil {
      if var remembered, !scene.source.isRecorded {
        remembered.media = segment
        camera.recent.append(remembered, header: publisher.initSegment.bytes)
      }
      remembered = nil
      upcoming = nextScene(at: camera.clock.now())
      if let upcoming { publisher.expect(upcoming) }
    }
    return appended.part
  }

  private var upcoming: Scene?

  /// Notes what a slot shows; whoever makes a loop of it needs the very pictures that `latest.jpg` showed.
  private mutating func remember(_ content: SlotContent, part: Int) {
    if part == 0 {
      remembered = (content.changes.first { $0.step == 0 }?.jpeg ?? camera.edge.latest?.small)
        .map { .init(opening: $0) }
    }
    remembered?.add(content, at: part * camera.settings.timeline.stepsPerPart)
  }

  /// Begins what was decided.
  private mutating func enter(_ next: Scene, isFirst: Bool = false) {
    var next = next
    if next.source == .veiled {
      var generator = SystemRandomNumberGenerator()
      if isFirst || scene.source != .veiled {
        if isFirst || !scene.source.isRecorded { player.load() }
        veiling.fall(isLive: !isFirst && !scene.source.isRecorded)
        player.enterAnywhere(using: &generator)
      }
      if player.isBuiltIn {
        // The slate in a live stream would tell of itself.
        if !hasToldOfVeil {
          logger.error("the veil cannot fall: the camera has no loop. Make one with `quietcam loop`.")
          hasToldOfVeil = true
        }
        next = Scene(source: .live, isDiscontinuous: next.isDiscontinuous)
        publisher.expect(next)
      } else {
        let falls = isFirst || scene.source != .veiled
        next.recording = player.advanceUnderVeil(
          isFirst: falls, beginsAnew: falls || !veiling.isPlaying,
          expected: announcer.expectedSince(collectedFrom), using: &generator)
        veiling.begin(next.recording)
      }
    }
    camera.count { $0.segments[next.source, default: 0] += 1 }
    if !isFirst { announcer.changes(from: scene, to: next) }
    scene = next
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
  ///
  /// - Parameter goesOn: whether the loop is being shown already, whatever the scene says.
  private mutating func nextScene(at now: Ticks, goesOn: Bool = false) -> Scene {
    var source = director.decide(at: now)
    if source == .live, scene.source == .veiled, veiling.stays(isInStep: announcer.isInStep) { source = .veiled }
    switch source {
    case .live: return Scene(source: .live, isDiscontinuous: player.leave())
    case .veiled:
      return Scene(
        source: .veiled, isDiscontinuous: player.leave(), isMarkedRecorded: camera.settings.marksRecorded)
    case .off, .paused:
      if !scene.source.isRecorded, !goesOn { player.load() }
      return recordedScene(source)
    }
  }

  private mutating func recordedScene(_ source: Director.Source) -> Scene {
    let next = player.advance(camera.settings.off == .cached ? .cached : .seamless)
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
    early.removeAll()
    camera.recent.clear()
    camera.photos.withdraw()
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
    let next = nextScene(at: camera.clock.now(), goesOn: true)
    publisher.expect(next)
    remembered = nil
    holdsHidden = false
    enter(next)
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
