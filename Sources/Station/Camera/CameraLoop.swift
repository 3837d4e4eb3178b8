import Logging
import Media
import NIOCore
import Packager
import Picture

/// What one camera does, slot after slot: collects the stills that came, makes the slot that the programme asks for,
/// and publishes it.
///
/// It owns all of the camera's state machines and FFmpeg workers. One task runs it on the encode threads.
struct CameraLoop: ~Copyable {
  private let camera: Camera
  private let mirror: Mirror?
  private let logger: Logger
  private var clock: SlotClock
  private var shutter: ShutterPhase
  private var collector: SlotCollector
  private var programme: Programme
  private var maker: SlotMaker
  private var publisher: StreamPublisher
  private var recorder: SegmentRecorder
  private var plain: PlainFeed
  private var hours: HoursWatch
  /// What they said last.
  private var hoursState: HoursWatch.State?
  private let holds: Bool
  private var gate: HoldingGate

  /// A loop of these parts that has published nothing; `open` makes it.
  init(
    camera: Camera, mirror: Mirror?, logger: Logger, clock: SlotClock, programme: Programme,
    coder: consuming LiveCoder, publisher: StreamPublisher, plain: consuming PlainFeed, hours: HoursWatch,
    collectedFrom: Ticks, holds: Bool
  ) {
    self.camera = camera
    self.mirror = mirror
    self.logger = logger
    self.clock = clock
    shutter = ShutterPhase(slot: clock.slot)
    self.programme = programme
    maker = SlotMaker(camera.settings, coder: coder)
    self.publisher = publisher
    self.plain = plain
    self.hours = hours
    collector = SlotCollector(camera.settings, collectedFrom: collectedFrom)
    recorder = SegmentRecorder(camera.recent, timeline: camera.settings.timeline)
    self.holds = holds
    gate = HoldingGate(
      offset: PublishOffset(size: camera.settings.picture.size, part: camera.settings.timeline.part))
  }

  /// Publishes the first state.
  ///
  /// - Parameter fills: whether the loop fills the window first.
  mutating func begin(fills: Bool) {
    camera.count { [standing = programme.standing] in $0.standing = standing }
    if fills { fill() }
    if publisher.latest == nil { show(maker.current(at: camera.clock.wall())) }
    lookAtHours()
    camera.count { [standing = programme.standing] in $0.standing = standing }
    begin(decideNext(), isFirst: true)
    publisher.publish()
  }

  /// Reads the loop ahead from now on.
  mutating func beginReadingAhead() { programme.beginReadingAhead() }

  /// Runs until the task is cancelled, then publishes what still waits.
  ///
  /// - Parameters:
  ///   - publishing: waits, and publishes what was held, so that no other camera's coding makes it late; `nil` for the
  ///     threads that run this.
  ///   - goesOn: asked at the end: whether another loop goes on with the stream. Otherwise it ends, and so do all waits
  ///     for it.
  /// - Returns: what the next loop needs.
  @discardableResult consuming func run(
    publishing: (any TaskExecutor)? = nil, goesOn: () -> Bool = { false }
  ) async -> LeftStream {
    while !Task.isCancelled {
      if let publishing {
        await withTaskExecutorPreference(publishing) { await waitAndPublish() }
      } else {
        await waitAndPublish()
      }
      if Task.isCancelled { break }
      turn()
    }
    publishDue(Ticks(.max))
    makeSlot(begins: clock.deadline)
    publishDue(Ticks(.max))
    let left = LeftStream(files: publisher.contents.files)
    // A slow disk delays nothing.
    if !goesOn() {
      camera.commands.end()
      publisher.end()
      camera.events.end()
    }
    await mirror?.close()
    return left
  }

  /// Waits until something is due or a signal comes, and publishes what was held until then.
  private mutating func waitAndPublish() async {
    let (camera, deadline) = (camera, deadline)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await camera.clock.sleep(deadline) }
      group.addTask { await camera.signal.wait() }
      await group.next()
      group.cancelAll()
    }
    if !Task.isCancelled { publishDue() }
  }

  /// When something is due without a signal.
  private var deadline: Ticks {
    [clock.deadline, plain.deadline, gate.deadline].compactMap { $0 }.min() ?? clock.deadline
  }

  /// When the slot that is held becomes public; `nil` if none is held.
  var heldUntil: Ticks? { gate.slot?.due }

  /// How many slots are remembered for the playlist without parts.
  var rememberedSlots: Int { plain.rememberedSlots }

  /// Does everything that is due.
  mutating func turn() {
    publishDue()
    // An order is for the next part, and the one that is held has begun. A withdrawal takes that too.
    if gate.slot == nil { lookAtHours() }
    for (command, waiter) in camera.commands.take(leavingOrders: gate.slot != nil) {
      carryOut(command)
      // When the operator gets the answer, what was withdrawn is gone from the disk too.
      publisher.afterMirroring { [photos = camera.photos] in
        photos.afterWriting { waiter.resume(returning: true) }
      }
    }
    if camera.settings.showsAtOnce { showAtOnce() }
    tendPlain()
    let slots = clock.due(now: camera.clock.now())
    for slot in slots {
      publishDue(Ticks(.max))
      makeSlot(begins: clock.beginning(of: slot))
    }
    publishDue()
    if !slots.isEmpty { followShutter() }
  }

  /// Publishes what was held until now.
  private mutating func publishDue() { publishDue(camera.clock.now()) }

  /// Publishes what was to be held until then at the latest.
  private mutating func publishDue(_ time: Ticks) {
    if let slot = gate.takeSlot(at: time) { publish(slot) }
    for change in gate.takePlain(at: time) { publisher.apply(change) }
  }

  /// Feeds the playlist without parts.
  private mutating func tendPlain() {
    let (now, due) = (camera.clock.now(), plain.deadline)
    let changes = plain.tend(standing: standing)
    // What is coded at its time is published a fixed time after it, as parts are.
    gate.hold(changes, until: gate.slot?.due ?? due.map { $0 <= now ? gate.due($0) : now } ?? now)
    publishDue()
  }

  /// Lets slots begin just after the camera's stills come.
  ///
  /// Where a veil can begin, the slots keep one phase for the life of the process: if slots moved with live pictures and
  /// not with recorded ones, viewers could tell them apart. The advice to the camera is the same in both.
  private mutating func followShutter() {
    if case .live = programme.segmentContent, !programme.mayBeVeiled {
      let move = shutter.move(next: clock.deadline)
      clock.move(by: move)
      publisher.slotsMoved(by: move)
    }
    camera.slotBegins(at: clock.deadline)
  }

  /// The picture that `latest.jpg` shows, in the stream's size.
  private var standing: ByteBuffer? { publisher.latest?.small }

  // MARK: Slots

  /// Makes a slot, and holds it until it is published.
  private mutating func makeSlot(begins beginning: Ticks) {
    if holds, camera.settings.canBeVeiled, programme.mayBeVeiled { gate.close() }
    changeAtOnce()
    let slot = collector.collect(camera.takeStills(), begins: beginning)
    for arrival in slot.arrivals { programme.stillArrived(at: arrival) }
    shutter.note(slot.arrivals)
    let wall = camera.clock.wall().advanced(by: beginning - camera.clock.now())
    let (segmentContent, part, plainSequence) = (programme.segmentContent, publisher.nextPart, plain.newestSequence)
    let began = camera.clock.now()
    guard
      let content = maker.content(
        of: slot, &programme, part: part, begins: beginning, wall: wall, standing: standing)
    else { return }
    camera.times.encode.add(camera.clock.now() - began)
    let due = gate.due(beginning)
    let newest = content.changes.last { $0.jpeg.readableBytes > 0 }?.jpeg
    gate.hold(
      plain.append(
        content, start: publisher.start, date: publisher.dateOfNextPart(wall: wall), begins: beginning,
        standing: newest ?? standing), until: due)
    gate.hold(
      HeldSlot(
        arrivals: slot, content: content, segmentContent: segmentContent, part: part, source: programme.slotSource,
        wall: wall, plainSequence: plainSequence, due: due))
    gate.note(ready: camera.clock.now() - beginning, isCoded: programme.codesPictures)
  }

  /// Makes a slot public: its part, its pictures and its events.
  private mutating func publish(_ slot: HeldSlot) {
    let (content, part, segmentContent) = (slot.content, slot.part, slot.segmentContent)
    recorder.add(content, part: part, standing: standing)
    let appended = publisher.append(content.pictures, wall: slot.wall)
    // The version that closes a segment announces the next one.
    let next = appended.segment.map { whole in
      recorder.finish(whole, header: publisher.initSegment.bytes, isLive: !segmentContent.source.isRecorded)
      return decideNext()
    }
    publisher.publish(
      following: segmentContent.slotsAhead(of: part, camera.settings), plainSequence: slot.plainSequence)
    let published = camera.clock.now()
    for placed in slot.arrivals.placed { camera.times.stillToPart.add(published - placed.still.arrival) }
    report(content.changes)
    camera.waves.report()
    gate.published(part: part, of: camera.settings.timeline.partsPerSegment)
    count(slot.arrivals, content, of: slot.source, bytes: appended.part)
    if let next { begin(next) }
    if publisher.nextPart == camera.settings.timeline.partsPerSegment - 1 { prepareNext() }
  }

  /// Shows the arrived stills as the latest picture, if their slot shows the camera.
  private mutating func showAtOnce() {
    guard case .live = programme.segmentContent, camera.settings.delay == .zero,
      !programme.mustChange(at: camera.clock.now())
    else { return }
    for var still in camera.takeStills() {
      guard let picture = maker.showEarly(&still) else { continue }
      report([picture])
      collector.keep(still)
    }
  }

  /// Shows the newest of the pictures as the latest one and reports each of them to listeners.
  private mutating func report(_ changes: [ShownPicture]) {
    let news = maker.news(in: changes)
    if let newest = news.last(where: { $0.jpeg.readableBytes > 0 }) { show(newest) }
    for picture in news {
      let time = picture.time ?? camera.clock.wall()
      let (jpeg, size) = (picture.photo?.jpeg ?? picture.jpeg, picture.photo?.size ?? camera.settings.picture.size)
      // Under the veil recorded pictures become photos as live ones do. A loop that all see comes round and round.
      let keeps = maker.keepsPhotos && jpeg.readableBytes > 0
      let photo = keeps ? camera.photos.keep(jpeg, time: time, size: size) : nil
      camera.events.add(.still(time: time, bytes: jpeg.readableBytes, size: size, photo: photo), at: time)
    }
  }

  private mutating func show(_ picture: ShownPicture) {
    publisher.show(picture.jpeg, photo: picture.photo, time: picture.time ?? camera.clock.wall())
  }

  private func count(_ slot: SlotArrivals, _ content: SlotContent, of source: Director.Source, bytes: Int) {
    let (failures, slowWrites) = (Int64(mirror?.failures ?? 0), Int64(mirror?.slowWrites ?? 0))
    let servesPlain = plain.isRunning
    let isOn = programme.isOn(at: camera.clock.now())
    let (offset, late) = (gate.isClosed ? gate.offset.value : nil, gate.offset.late)
    camera.count { counters in
      counters.isOn = isOn
      (counters.publishOffset, counters.lateParts) = (offset, late)
      counters.note(slot, content, of: source, bytes: bytes)
      (counters.storeFailures, counters.slowWrites, counters.servesPlain) = (failures, slowWrites, servesPlain)
    }
  }

  // MARK: Segments

  /// Decides what the next segment shows, and announces it.
  private mutating func decideNext() -> PlannedSegment {
    let next = programme.next(at: camera.clock.now(), maker.outlook(from: collector.collectedFrom))
    publisher.expect(next)
    return next
  }

  /// Begins another segment with the next part, if what is shown must give way: the open segment ends there, or the
  /// decided one does not begin.
  private mutating func changeAtOnce() {
    let part = publisher.nextPart
    guard programme.mustChange(at: camera.clock.now()), programme.canChange(afterParts: part),
      part == 0 || publisher.canEndSegment
    else { return }
    if part > 0 {
      publisher.endSegment()
      recorder.drop()
    }
    begin(decideNext())
  }

  /// Has what the next segment may need read from disk: it is decided with the slot that comes next.
  private mutating func prepareNext() {
    programme.prepare(maker.outlook(from: collector.collectedFrom + camera.settings.timeline.part, isAhead: true))
  }

  /// Begins the decided segment.
  private mutating func begin(_ segment: PlannedSegment, isFirst: Bool = false) {
    let source = segment.segmentContent.source
    gate.beginSegment(isEdge: source != programme.segmentContent.source)
    programme.begin(segment)
    camera.count { $0.segments[source, default: 0] += 1 }
    if let event = maker.begin(source, isFirst: isFirst) { camera.events.add(event, at: camera.clock.wall()) }
    publisher.isLive = !source.isRecorded
  }

  /// Fills the window with the loop, made in advance.
  private mutating func fill() {
    let timeline = camera.settings.timeline
    for _ in 0..<timeline.listedSegments {
      let next = programme.nextOfLoop()
      publisher.expect(next)
      guard case .off(let segment, _) = next.segmentContent else { continue }
      for part in 0..<timeline.partsPerSegment {
        _ = publisher.append(segment.slot(part, timeline).pictures, wall: nil)
      }
      publisher.show(segment.changes.last?.jpeg ?? segment.opening, time: camera.clock.wall())
    }
  }

  // MARK: Hours

  /// Shows the loop or the camera with the next part, where the hours say so.
  private mutating func lookAtHours() {
    let state = hours.state(at: camera.clock.wall(), isTrusted: camera.clock.isTrusted)
    guard state != hoursState else { return }
    let (isWithin, wasWithin) = (state?.isShown ?? true, hoursState?.isShown ?? true)
    hoursState = state
    camera.count { $0.hours = state }
    if isWithin != programme.isWithinHours {
      programme.isWithinHours = isWithin
      prepareNext()
    }
    guard isWithin != wasWithin else { return }
    logger.notice(
      isWithin
        ? "the camera is within its hours"
        : state?.isTimeUnknown == true
          ? "the machine's clock cannot be right, so the camera's hours are not known and it is not shown; set the clock"
          : "the camera is outside its hours: its loop is shown",
      metadata: state?.until.map { ["until": "\($0)"] })
  }

  // MARK: Commands

  mutating func carryOut(_ command: Camera.Command) {
    switch command {
    case .order(let order):
      programme.take(order)
      prepareNext()
    case .withdraw: withdraw()
    case .hours(let changed):
      hours.replace(with: changed)
      lookAtHours()
      return
    }
    camera.count { [standing = programme.standing] in $0.standing = standing }
    publisher.standing = programme.standing
    camera.count { [standing = programme.standing] in $0.standing = standing }
    publisher.save()
    logger.notice("the operator's command was carried out", metadata: ["command": "\(command)"])
  }

  /// Removes everything that can be fetched, and fills the window with the loop.
  private mutating func withdraw() {
    let timeline = camera.settings.timeline
    gate.drop()
    camera.inbox.drop()
    collector.forget()
    recorder.forget()
    camera.photos.withdraw()
    camera.events.forget()
    plain.withdraw()
    maker.withdraw()
    programme.withdraw()
    publisher.withdraw(
      lead: timeline.segment * Int64(timeline.listedSegments),
      wall: camera.clock.wall().advanced(by: clock.deadline - camera.clock.now()))
    publisher.isLive = false
    fill()
    let next = decideNext()
    begin(next)
    camera.count { $0.source = next.segmentContent.source }
    publisher.publish()
  }
}
