import Media
import NIOCore
import Packager
import Picture

/// What viewers get of one camera: decides what its segments show, makes its slots, holds them until their time, and
/// publishes them.
struct CameraStream: ~Copyable {
  private let camera: Camera
  private let mirror: Mirror?
  private var collector: SlotCollector
  private(set) var programme: Programme
  private var maker: SlotMaker
  private var publisher: StreamPublisher
  private var recorder: SegmentRecorder
  private var plain: PlainFeed
  private let holds: Bool
  private var gate: HoldingGate
  private var pacing: StillPacing
  private var work = SlotWork()
  /// Whether a still waits until its encoder can be opened.
  private var waitsForEncoder = false
  /// What the playlist without parts took since the last slot.
  private var plainTook = Duration.zero
  /// After how many parts the segment that is open now ends, so that the segments of all cameras, whose first pictures
  /// cost most, begin at different times; `nil` for a whole segment.
  private var firstParts: Int?
  /// How far this camera is stepped down, and from the next segment on.
  private var (level, nextLevel) = (LoadLevel.full, LoadLevel.full)

  /// A stream of these parts that has published nothing.
  ///
  /// - Parameters:
  ///   - collectedFrom: when the collecting of stills for the first slot began.
  ///   - holds: whether slots are held until the publish offset where a veil can begin.
  ///   - firstParts: after how many parts the first segment ends, if it shows the camera; `nil` for a whole one.
  ///   - offset: that of an earlier loop that this one goes on from.
  init(
    camera: Camera, mirror: Mirror?, programme: Programme, coder: consuming LiveCoder, publisher: StreamPublisher,
    plain: consuming PlainFeed, collectedFrom: Ticks, holds: Bool, firstParts: Int? = nil, offset: PublishOffset? = nil
  ) {
    self.camera = camera
    self.mirror = mirror
    self.programme = programme
    maker = SlotMaker(camera.settings, coder: coder)
    self.publisher = publisher
    self.plain = plain
    collector = SlotCollector(camera.settings, collectedFrom: collectedFrom)
    recorder = SegmentRecorder(camera.recent, timeline: camera.settings.timeline)
    self.holds = holds
    self.firstParts = firstParts
    pacing = StillPacing(part: camera.settings.timeline.part)
    let (size, part) = (camera.settings.picture.size, camera.settings.timeline.part)
    gate = HoldingGate(offset: offset?.goingOn(size: size, part: part) ?? PublishOffset(size: size, part: part))
  }

  /// Fills the window with the loop, if `fills`, and makes sure that there is a picture.
  mutating func open(fills: Bool) {
    if fills { fill() }
    if publisher.latest == nil { show(maker.current(at: camera.clock.wall())) }
  }

  /// Decides and begins the first segment, and publishes the first state.
  mutating func begin() {
    begin(decideNext(), isFirst: true)
    publisher.publish()
    publisher.save()
  }

  /// Reads the loop ahead from now on.
  mutating func beginReadingAhead() { programme.beginReadingAhead() }

  /// Ends the waits of viewers: no other loop goes on with the stream.
  mutating func end() {
    publisher.end()
    camera.events.end()
    SharedWorkers.forget()
  }

  /// What a loop needs that goes on with the stream.
  var left: LeftStream { LeftStream(files: publisher.contents.files, offset: gate.offset) }

  /// Calls `done` once what was published so far is on disk.
  mutating func afterMirroring(_ done: @escaping @Sendable () -> Void) { publisher.afterMirroring(done) }

  /// Whether the next part completes its segment.
  var completesSegmentNext: Bool { publisher.nextPart == camera.settings.timeline.partsPerSegment - 1 }

  // MARK: Time

  /// When something becomes public, or is due for the playlist without parts; `nil` if nothing is.
  var deadline: Ticks? { [plain.deadline, gate.deadline].compactMap { $0 }.min() }

  /// When the slot that is held becomes public; `nil` if none is held.
  var heldUntil: Ticks? { gate.slot?.due }

  /// How many slots are remembered for the playlist without parts.
  var rememberedSlots: Int { plain.rememberedSlots }

  /// Publishes what was held until now.
  mutating func publishDue() { publishDue(camera.clock.now()) }

  /// Publishes what was to be held until then at the latest.
  mutating func publishDue(_ time: Ticks) {
    if let slot = gate.takeSlot(at: time) { publish(slot) }
    for change in gate.takePlain(at: time) { publisher.apply(change) }
  }

  /// Feeds the playlist without parts.
  mutating func tendPlain() {
    let (now, due) = (camera.clock.now(), plain.deadline)
    let began = ThreadTime.now
    let changes = plain.tend(standing: standing)
    plainTook += ThreadTime.now - began
    // What is coded at its time is published a fixed time after it, as parts are.
    gate.hold(changes, until: gate.slot?.due ?? due.map { $0 <= now ? gate.due($0) : now } ?? now)
    publishDue()
  }

  /// Notes that slots begin later by so much from now on; earlier where it is negative.
  mutating func slotsMoved(by move: Ticks) { publisher.slotsMoved(by: move) }

  /// The picture that `latest.jpg` shows, in the stream's size.
  private var standing: ByteBuffer? { publisher.latest?.small }

  // MARK: Slots

  /// Makes a slot, and holds it until it is published.
  ///
  /// - Returns: when the stills of the slot came.
  mutating func makeSlot(begins beginning: Ticks) -> [Ticks] {
    if holds, camera.settings.canBeVeiled, programme.mayBeVeiled { gate.close() }
    changeAtOnce()
    let (began, ran, openings) = (camera.clock.now(), ThreadTime.now, maker.openings)
    let (collected, displaced) = collector.collect(camera.takeStills(), begins: beginning)
    for arrival in collected.arrivals { programme.stillArrived(at: arrival) }
    let (slot, isPutOff) = pace(collected, displaced: displaced, delay: began - beginning)
    let wall = camera.clock.wall().advanced(by: beginning - camera.clock.now())
    let (part, plainSequence) = (publisher.nextPart, plain.newestSequence)
    guard
      let content = maker.content(
        of: slot, &programme, part: part, begins: beginning, wall: wall, standing: standing)
    else { return collected.arrivals }
    camera.times.encode.add(camera.clock.now() - began)
    let due = gate.due(beginning)
    let newest = content.changes.last { $0.jpeg.readableBytes > 0 }?.jpeg
    gate.hold(
      plain.append(
        content, start: publisher.start, date: publisher.dateOfNextPart(wall: wall), begins: beginning,
        standing: newest ?? standing), until: due)
    // To decide the next segment changes what the veil does.
    let (source, isCoded) = (programme.slotSource, programme.codesPictures)
    let appended = prepare(content, part: part, wall: wall, plainSequence: plainSequence)
    gate.hold(
      HeldSlot(
        arrivals: slot, content: content, part: part, bytes: appended.bytes, source: source, next: appended.next,
        due: due))
    let ready = camera.clock.now()
    camera.times.ready.add(ready - beginning)
    gate.note(ready: ready - beginning, isCoded: isCoded)
    let took = Ticks(ThreadTime.now - ran + plainTook)
    plainTook = .zero
    work.note(
      took, isPutOff ? .putOff : maker.openings == openings ? .usual : .opening, coded: maker.codedLevel,
      own: camera.settings.encoder)
    waitsForEncoder = isPutOff && maker.showsSlate
    camera.load.note(ready: ready - beginning, of: camera.settings.timeline.part, took: took, isPutOff: isPutOff)
    return collected.arrivals
  }

  /// Puts the stills of a slot off, or all but the newest aside, where the machine has too little room for them.
  ///
  /// - Returns: what is left of the slot, and whether its stills were put off because the work is late.
  private mutating func pace(
    _ slot: SlotArrivals, displaced before: Int, delay: Ticks
  ) -> (slot: SlotArrivals, isPutOff: Bool) {
    var (paced, displaced, isPutOff) = (slot, before, false)
    // Where a veil can begin, a step waits for a segment, with live and with recorded pictures alike.
    if !programme.mayBeVeiled { take(camera.load.level) }
    let isPaced = camera.load.isOn && programme.codesPictures
    maker.hurry(isPaced && pacing.isLate(delay))
    maker.note(mayBeVeiled: programme.mayBeVeiled)
    if isPaced {
      let decision = pacing.next(
        hasStills: !slot.stills.isEmpty, beginsSegment: publisher.nextPart == 0, opensEncoder: maker.showsSlate,
        delay: delay, level: level)
      switch decision {
      case .all: break
      case .newest: paced = slot.withNewestOnly
      case .putOff(let isLate):
        isPutOff = isLate
        paced = slot.withoutStills
        displaced += collector.putOff(slot)
      }
      displaced += decision == .newest ? slot.stills.count - paced.stills.count : 0
    }
    if displaced > 0 { camera.count { $0.displaced += Int64(displaced) } }
    return (paced, isPutOff)
  }

  private mutating func take(_ level: LoadLevel) {
    self.level = level
    maker.take(level)
    plain.level = level
  }

  /// Packages a slot and makes what is published of it.
  ///
  /// - Returns: the bytes of its part, and the segment that follows, if it completes one.
  private mutating func prepare(
    _ content: SlotContent, part: Int, wall: WallTime, plainSequence: Int?
  ) -> (bytes: Int, next: PlannedSegment?) {
    let segmentContent = programme.segmentContent
    recorder.add(content, part: part, standing: standing)
    let appended = publisher.append(content.pictures, wall: wall)
    // The version that closes a segment announces the next one.
    let next = appended.segment.map { whole in
      recorder.finish(whole, header: publisher.initSegment.bytes, isLive: !segmentContent.source.isRecorded)
      return decideNext()
    }
    publisher.prepare(following: segmentContent.slotsAhead(of: part, camera.settings), plainSequence: plainSequence)
    return (appended.part, next)
  }

  /// Makes a slot public: its part, its pictures and its events.
  private mutating func publish(_ slot: HeldSlot) {
    publisher.publish()
    report(slot.content.changes)
    let published = camera.clock.now()
    for placed in slot.arrivals.placed { camera.times.stillToPart.add(published - placed.still.arrival) }
    camera.waves.report()
    publisher.save()
    gate.published(part: slot.part, of: camera.settings.timeline.partsPerSegment)
    count(slot.arrivals, slot.content, of: slot.source, bytes: slot.bytes)
    if let next = slot.next { begin(next) }
    if publisher.nextPart == camera.settings.timeline.partsPerSegment - 1 { prepareNext() }
  }

  /// Shows the arrived stills as the latest picture, if their slot shows the camera.
  mutating func showAtOnce() {
    guard case .live = programme.segmentContent, camera.settings.delay == .zero,
      !programme.mustChange(at: camera.clock.now())
    else { return }
    for var still in camera.takeStills() {
      guard let picture = maker.showEarly(&still) else { continue }
      report([picture])
      publisher.saveLatest()
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
    let (isOn, isVeilEnding) = (programme.isOn(at: camera.clock.now()), source == .veiled && !programme.isVeilWanted)
    let (offset, late) = (gate.isClosed ? gate.offset.value : nil, gate.offset.late)
    let (coded, slotWork) = (maker.codedLevel ?? (waitsForEncoder ? level : nil), work.value)
    camera.count { counters in
      (counters.codedLevel, counters.slotWork) = (coded, slotWork)
      (counters.isOn, counters.isVeilEnding) = (isOn, isVeilEnding)
      (counters.publishOffset, counters.lateParts) = (offset, late)
      counters.note(slot, content, of: source, bytes: bytes)
      (counters.storeFailures, counters.slowWrites, counters.servesPlain) = (failures, slowWrites, servesPlain)
    }
  }

  // MARK: Segments

  /// Decides what the next segment shows, and announces it.
  private mutating func decideNext() -> PlannedSegment {
    nextLevel = camera.load.level
    programme.isSteppedDown = nextLevel > .full
    let next = programme.next(at: camera.clock.now(), maker.outlook(from: collector.collectedFrom))
    publisher.expect(next)
    return next
  }

  /// Begins another segment with the next part, if what is shown must give way: the open segment ends there, or the
  /// decided one does not begin.
  private mutating func changeAtOnce() {
    let part = publisher.nextPart
    var endsFirst = false
    if let count = firstParts, part >= count {
      if case .live = programme.segmentContent, part == count { endsFirst = true }
      firstParts = nil
    }
    guard endsFirst || programme.mustChange(at: camera.clock.now()), programme.canChange(afterParts: part),
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
    take(nextLevel)
    camera.count { counters in
      counters.segments[source, default: 0] += 1
      if isFirst { counters.source = source }
    }
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

  // MARK: Orders

  /// Takes an order: what must change does so with the next part.
  mutating func take(_ order: Director.Order) {
    programme.take(order)
    prepareNext()
  }

  /// Notes whether the camera is within its hours; outside, the loop is shown from the next part on.
  mutating func take(isWithinHours: Bool) {
    guard isWithinHours != programme.isWithinHours else { return }
    programme.isWithinHours = isWithinHours
    prepareNext()
  }

  /// Saves the orders that are in force.
  mutating func saveStanding() {
    publisher.standing = programme.standing
    publisher.save()
  }

  /// Removes everything that can be fetched, and fills the window with the loop.
  ///
  /// - Parameter beginning: when the next slot begins.
  mutating func withdraw(nextSlot beginning: Ticks) {
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
      wall: camera.clock.wall().advanced(by: beginning - camera.clock.now()))
    publisher.isLive = false
    fill()
    let next = decideNext()
    begin(next)
    camera.count { $0.source = next.segmentContent.source }
    publisher.publish()
    publisher.save()
    let date = publisher.dateOfNextPart(wall: camera.clock.wall().advanced(by: beginning - camera.clock.now()))
    for change in plain.beginAgain(start: publisher.start, date: date, standing: standing) { publisher.apply(change) }
  }
}
