import Logging
import Media

/// What one camera does, slot after slot: turns the slot clock, carries out commands, looks at the camera's hours, and has
/// its stream make and publish the slots.
///
/// It owns all of the camera's state machines and FFmpeg workers. One task runs it on the encode threads.
struct CameraLoop: ~Copyable {
  private let camera: Camera
  private let mirror: Mirror?
  private let logger: Logger
  private var clock: SlotClock
  private var shutter: ShutterPhase
  private var stream: CameraStream
  private var hours: HoursWatch
  /// By how much the slots begin later once the first was made, so that the camera gets its place among the others.
  private var firstMove: Ticks
  /// What they said last.
  private var hoursState: HoursWatch.State?

  /// A loop of these parts that has published nothing; `open` makes it.
  init(
    camera: Camera, mirror: Mirror?, logger: Logger, clock: SlotClock, stream: consuming CameraStream,
    hours: HoursWatch, firstMove: Ticks = .zero
  ) {
    self.camera = camera
    self.mirror = mirror
    self.logger = logger
    self.clock = clock
    shutter = ShutterPhase(slot: clock.slot)
    self.stream = stream
    self.hours = hours
    self.firstMove = firstMove
  }

  /// Publishes the first state.
  ///
  /// - Parameter fills: whether the loop fills the window first.
  mutating func begin(fills: Bool) {
    stream.open(fills: fills)
    lookAtHours()
    countStanding()
    stream.begin()
  }

  /// Reads the loop ahead from now on.
  mutating func beginReadingAhead() { stream.beginReadingAhead() }

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
    stream.publishDue(Ticks(.max))
    let goesOn = goesOn()
    // The next loop may begin behind a discontinuity. hls.js gives up if that comes after a segment that was listed as
    // complete without it, so the next loop completes this one.
    if !goesOn || !stream.completesSegmentNext {
      _ = stream.makeSlot(begins: clock.deadline)
      stream.publishDue(Ticks(.max))
    }
    let left = stream.left
    // A slow disk delays nothing.
    if !goesOn {
      camera.commands.end()
      stream.end()
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
    if !Task.isCancelled { stream.publishDue() }
  }

  /// When something is due without a signal.
  private var deadline: Ticks { min(clock.deadline, stream.deadline ?? clock.deadline) }

  /// When the slot that is held becomes public; `nil` if none is held.
  var heldUntil: Ticks? { stream.heldUntil }

  /// How many slots are remembered for the playlist without parts.
  var rememberedSlots: Int { stream.rememberedSlots }

  /// Does everything that is due.
  mutating func turn() {
    stream.publishDue()
    // An order is for the next part, and the one that is held has begun. A withdrawal takes that too.
    if stream.heldUntil == nil { lookAtHours() }
    for (command, waiter) in camera.commands.take(leavingOrders: stream.heldUntil != nil) {
      carryOut(command)
      // When the operator gets the answer, what was withdrawn is gone from the disk too.
      stream.afterMirroring { [photos = camera.photos] in
        photos.afterWriting { waiter.resume(returning: true) }
      }
    }
    if camera.settings.showsAtOnce { stream.showAtOnce() }
    stream.tendPlain()
    let slots = clock.due(now: camera.clock.now())
    for slot in slots {
      stream.publishDue(Ticks(.max))
      shutter.note(stream.makeSlot(begins: clock.beginning(of: slot)))
    }
    if !slots.isEmpty, firstMove > .zero {
      // The dates have reckoned with it from the start.
      clock.move(by: firstMove)
      firstMove = .zero
    }
    stream.publishDue()
    if !slots.isEmpty { followShutter() }
  }

  /// Lets slots begin just after the camera's stills come.
  ///
  /// Where a veil can begin, the slots keep one phase for the life of the process: if slots moved with live pictures and
  /// not with recorded ones, viewers could tell them apart. The advice to the camera is the same in both.
  private mutating func followShutter() {
    if case .live = stream.programme.segmentContent, !stream.programme.mayBeVeiled {
      let move = shutter.move(next: clock.deadline)
      clock.move(by: move)
      stream.slotsMoved(by: move)
    }
    camera.slotBegins(at: clock.deadline)
  }

  // MARK: Hours

  /// Shows the loop or the camera with the next part, where the hours say so.
  private mutating func lookAtHours() {
    let state = hours.state(at: camera.clock.wall(), isTrusted: camera.clock.isTrusted)
    guard state != hoursState else { return }
    let (isWithin, wasWithin) = (state?.isShown ?? true, hoursState?.isShown ?? true)
    hoursState = state
    camera.count { $0.hours = state }
    stream.take(isWithinHours: isWithin)
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
      stream.take(order)
    case .withdraw: stream.withdraw(nextSlot: clock.deadline)
    case .hours(let changed):
      hours.replace(with: changed)
      lookAtHours()
      return
    }
    countStanding()
    stream.saveStanding()
    logger.notice("the operator's command was carried out", metadata: ["command": "\(command)"])
  }

  private func countStanding() { camera.count { [standing = stream.programme.standing] in $0.standing = standing } }
}
