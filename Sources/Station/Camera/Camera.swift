import Ingest
import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager
import Picture

/// One camera as the doors see it: stills go in here, and what is published stands at its edge.
package final class Camera: Sendable {
  /// What a camera is told about a still that was taken.
  package struct Receipt: Hashable, Sendable {
    /// The number of the still, from 1 in each life of the process.
    package let sequence: Int64
    /// How long the camera should wait before the next one.
    package let interval: Ticks
    /// How often visitors have waved.
    package let waves: Int64
  }

  /// What has happened at a camera since the process began.
  package struct Counters: Hashable, Sendable {
    /// Stills that were taken.
    package var taken: Int64 = 0
    /// Bytes of these stills.
    package var takenBytes: Int64 = 0
    /// Stills that were refused at the door, by reason.
    package var refused: [StillRefusal.Reason: Int64] = [:]
    /// Stills that were taken and did not decode.
    package var undecodable: Int64 = 0
    /// Stills that a newer one pushed aside.
    package var displaced: Int64 = 0
    /// Stills that are or were on the screens.
    package var shown: Int64 = 0
    /// Stills that came while the loop was shown.
    package var unseen: Int64 = 0
    /// Parts that were published.
    package var parts: Int64 = 0
    /// Bytes of these parts.
    package var partBytes: Int64 = 0
    /// Visitors' waves.
    package var waves: Int64 = 0
    /// Failed writes to the store.
    package var storeFailures: Int64 = 0
    /// States that took longer to write to the store than the next one took to come.
    package var slowWrites: Int64 = 0
    /// When the newest still came.
    package var lastStill: WallTime?
    /// What is shown now.
    package var source = Director.Source.live
    /// Segments that were shown, by what they showed.
    package var segments: [Director.Source: Int64] = [:]
    /// Whether the playlist without parts is made now.
    package var servesPlain = false
  }

  /// What the operator wants of a camera.
  package enum Command: Hashable, Sendable {
    /// An order for what is shown from the next segment on.
    case order(Director.Order)
    /// All that can still be fetched vanishes at once, and the loop is shown until `resume`.
    case withdraw
  }

  private struct State {
    var queue: StillQueue
    /// The newest still that is to be decoded before its slot, and one that was.
    var early: Still?
    var decoded: DecodedStill?
    /// How often stills were dropped: one that is being decoded meanwhile is dropped with them.
    var drops = 0
    var dropsBeforeDecoding = 0
    /// When the newest still came that a slot took.
    var newestTaken: Ticks?
    var wavesTold: (count: Int64, at: Ticks)?
    var counters = Counters()
    var commands: [(command: Command, waiter: CheckedContinuation<Bool, Never>)] = []
    var isEnded = false
    var plainAsked: Ticks?
  }

  /// The camera's settings.
  package let settings: CameraSettings
  /// What is published.
  package let edge = LiveEdge()
  /// What was shown lately, for making a loop of it.
  package let recent: RecentMedia
  /// What was shown last, picture by picture, for viewers.
  package let photos: CameraPhotos
  /// Wakes the loop before its time.
  let signal = Signal()
  /// Wakes who decodes stills before their slot.
  let earlySignal = Signal()
  let clock: StationClock
  private let state: NIOLockedValueBox<State>

  /// A camera that nothing has been pushed to yet.
  package init(settings: CameraSettings, clock: StationClock) {
    self.settings = settings
    self.clock = clock
    photos = CameraPhotos(count: settings.keepPhotos)
    recent = RecentMedia(length: settings.remember, timeline: settings.timeline)
    // A slot can show one still a step; twice as many may wait, so that a burst keeps its rhythm. Stills that are kept
    // back need room besides: one for each step would fill the memory, one for each interval does not.
    let delayed = Int(settings.delay.floorDivided(by: max(settings.interval, settings.timeline.step)))
    let count = 2 * settings.timeline.stepsPerPart + 2 * delayed
    let bytes = 2 * settings.maxStillBytes + delayed * 1_000_000
    state = NIOLockedValueBox(State(queue: StillQueue(maxCount: max(4, count), maxBytes: bytes)))
  }

  /// A copy of the counters.
  package var counters: Counters { state.withLockedValue { $0.counters } }

  /// Takes a still that a camera has pushed.
  ///
  /// - Throws: why it is refused; nothing has changed then but the count of refusals.
  package func take(_ body: ByteBuffer) throws(StillRefusal) -> Receipt {
    do throws(StillRefusal) {
      let header = try JPEGHeader(body, maxPixels: settings.picture.maxPixels)
      var jpeg = body
      let still = Still(
        jpeg: jpeg.readSlice(length: header.length) ?? body, arrival: clock.now(), wallTime: clock.wall())
      let isEarly = settings.decodesEarly(header)
      defer { if isEarly { earlySignal.fire() } }
      return state.withLockedValue { state in
        if isEarly {
          if state.early != nil { state.counters.displaced += 1 }
          state.early = still
        } else {
          state.counters.displaced += Int64(state.queue.push(still).displaced)
        }
        state.counters.taken += 1
        state.counters.takenBytes += Int64(still.jpeg.readableBytes)
        state.counters.lastStill = still.wallTime
        return Receipt(
          sequence: state.counters.taken, interval: settings.interval, waves: state.counters.waves)
      }
    } catch {
      refuse(error.reason)
      throw error
    }
  }

  /// Counts a still that was refused before it could be looked at.
  package func refuse(_ reason: StillRefusal.Reason) {
    state.withLockedValue { $0.counters.refused[reason, default: 0] += 1 }
  }

  /// Counts a visitor's wave and tells those who listen: at once, or with the next slot if that was done within a
  /// second. Waves are cheap to make, and each event goes to every listener.
  ///
  /// - Returns: all waves so far.
  package func wave() -> Int64 {
    let waves = count { counters in
      counters.waves += 1
      return counters.waves
    }
    tellWaves()
    return waves
  }

  /// Tells those who listen how often visitors have waved, if that is news and the last news is a second old.
  func tellWaves() {
    let now = clock.now()
    let waves = state.withLockedValue { state -> Int64? in
      let told = state.wavesTold
      guard state.counters.waves > told?.count ?? 0, told.map({ now - $0.at >= .seconds(1) }) ?? true else {
        return nil
      }
      state.wavesTold = (state.counters.waves, now)
      return state.counters.waves
    }
    if let waves { edge.announce(.wave, at: clock.wall(), json: "{\"waves\":\(waves)}") }
  }

  /// Takes the stills whose delay is over, in the order in which they came.
  func takeStills() -> [ArrivedStill] {
    let cutoff = clock.now() - settings.delay
    return state.withLockedValue { state in
      var stills = state.queue.take(arrivedBy: cutoff).map { ArrivedStill($0) }
      if let decoded = state.decoded.take() {
        if let newest = state.newestTaken, decoded.still.arrival < newest {
          // A small still that came later was quicker.
          state.counters.displaced += 1
        } else {
          let index = stills.firstIndex { $0.still.arrival > decoded.still.arrival } ?? stills.endIndex
          stills.insert(ArrivedStill(decoded), at: index)
        }
      }
      state.newestTaken = stills.last?.still.arrival ?? state.newestTaken
      return stills
    }
  }

  /// Drops the stills that wait.
  func dropStills() {
    state.withLockedValue { state in
      _ = state.queue.takeAll()
      (state.early, state.decoded) = (nil, nil)
      state.drops += 1
    }
  }

  // MARK: Stills that are decoded before their slot

  /// Takes the still that is to be decoded next.
  func takeEarlyStill() -> Still? {
    state.withLockedValue { state in
      state.dropsBeforeDecoding = state.drops
      return state.early.take()
    }
  }

  /// Brings a decoded still to the next slot, or to the latest picture at once.
  func put(_ decoded: DecodedStill) {
    state.withLockedValue { state in
      guard state.dropsBeforeDecoding == state.drops else { return }
      if state.decoded != nil { state.counters.displaced += 1 }
      state.decoded = decoded
    }
    if settings.showsAtOnce { signal.fire() }
  }

  /// Counts a still that does not decode, and logs it.
  func tellUndecodable(_ error: any Error, logger: Logger) {
    let count = count { counters in
      counters.undecodable += 1
      return counters.undecodable
    }
    // The first of a series tells the operator; the counter tells the rest.
    logger.log(
      level: count & (count - 1) == 0 ? .warning : .debug,
      "a still was taken and cannot be shown (\(count) so far): \(error)")
  }

  // MARK: What the operator wants

  /// Has a command carried out.
  ///
  /// - Returns: whether it was, which takes an instant; `false` when the camera has ended or too many commands wait.
  package func carryOut(_ command: Command) async -> Bool {
    await withCheckedContinuation { waiter in
      let isTaken = state.withLockedValue { state in
        guard !state.isEnded, state.commands.count < 100 else { return false }
        state.commands.append((command, waiter))
        return true
      }
      if isTaken { signal.fire() } else { waiter.resume(returning: false) }
    }
  }

  /// Takes the commands that wait; whoever takes them resumes the waiters.
  func takeCommands() -> [(command: Command, waiter: CheckedContinuation<Bool, Never>)] {
    state.withLockedValue { state in
      defer { state.commands.removeAll() }
      return state.commands
    }
  }

  /// Refuses commands from now on.
  func endCommands() {
    let waiting = state.withLockedValue { state in
      state.isEnded = true
      defer { state.commands.removeAll() }
      return state.commands
    }
    for (_, waiter) in waiting { waiter.resume(returning: false) }
  }

  // MARK: The playlist without parts

  /// How long the playlist without parts is made after it was last asked for.
  static let plainPatience = Ticks.seconds(30)

  /// The playlist without parts, which is made while somebody asks for it; `nil` when it has not begun by the deadline.
  package func plainPlaylist(
    deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool
  ) async -> EncodedText? {
    let now = clock.now()
    state.withLockedValue { $0.plainAsked = now }
    if let plain = edge.plain { return plain }
    signal.fire()
    return await edge.plain(deadline: deadline, isWanted: isWanted)
  }

  /// Whether somebody has asked for the playlist without parts lately.
  var isPlainWanted: Bool {
    let now = clock.now()
    return state.withLockedValue { $0.plainAsked.map { now - $0 < Self.plainPatience } ?? false }
  }

  /// Changes the counters.
  func count<Result: Sendable>(_ change: (inout sending Counters) -> sending Result) -> Result {
    state.withLockedValue { change(&$0.counters) }
  }
}
