import Ingest
import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager
import Picture

/// One camera as the listeners see it: they pass stills in here, and read what is published from its edge.
///
/// It stays the same while the camera is configured, also when its settings change: who follows its stream, its events or
/// a body with its stills goes on.
package final class Camera: Sendable {
  /// The advice for a camera after an accepted still.
  package struct Receipt: Hashable, Sendable {
    /// The number of the still, from 1 in each process.
    package let sequence: Int64
    /// How long the camera should wait before the next one, so that it comes just before a slot begins.
    package let interval: Ticks
    /// How often visitors waved.
    package let waves: Int64
  }

  /// The parts that a change of the settings replaces.
  private struct Parts {
    var settings: CameraSettings
    var recent: RecentMedia
    var photos: CameraPhotos

    init(_ settings: CameraSettings, _ memory: RecentMemory) {
      self.settings = settings
      recent = RecentMedia(length: settings.remember, timeline: settings.timeline, memory: memory)
      photos = CameraPhotos(settings)
    }
  }

  /// The camera's name.
  package let name: CameraName
  /// What is published.
  package let edge = LiveEdge()
  /// Its events.
  package let events = EventFeed()
  /// How long its work takes.
  package let times = CameraTimes()
  /// The stills that wait for their slot.
  let inbox: StillInbox
  /// The operator's commands.
  let commands = CommandQueue()
  /// Visitors' waves.
  let waves: WaveCounter
  /// Whether somebody requests the playlist without parts.
  let plainDemand = PlainDemand()
  /// Wakes the loop before its next slot.
  let signal = Signal()
  /// Wakes the decoder of early stills.
  let earlySignal = Signal()
  /// Where the stream is copied to; `nil` if there is no such place.
  package let copy: (any StreamCopy)?
  let clock: StationClock
  /// How far the cameras of the machine are stepped down.
  package let load: LoadWatch
  private let recentMemory: RecentMemory
  private let parts: NIOLockedValueBox<Parts>
  private let tally = NIOLockedValueBox(Counters())
  private let advice: NIOLockedValueBox<(advice: SendAdvice, nextSlot: Ticks?)>

  /// A camera without stills yet.
  ///
  /// - Parameters:
  ///   - load: of the machine; one that steps nothing down where it is not given.
  ///   - copy: where the stream is copied to.
  ///   - recentMemory: what all cameras may take together for what they showed lately.
  package init(
    settings: CameraSettings, clock: StationClock, load: LoadWatch = LoadWatch(isOn: false),
    copy: (any StreamCopy)? = nil, recentMemory: RecentMemory = RecentMemory(limit: 64 << 20)
  ) {
    name = settings.name
    self.copy = copy
    self.clock = clock
    self.load = load
    self.recentMemory = recentMemory
    parts = NIOLockedValueBox(Parts(settings, recentMemory))
    inbox = StillInbox(settings)
    advice = NIOLockedValueBox((SendAdvice(settings), nil))
    waves = WaveCounter(clock: clock, events: events)
  }

  // MARK: Settings

  /// The camera's settings now; they can change while the process runs.
  package var settings: CameraSettings { parts.withLockedValue { $0.settings } }

  /// Whether its stream is copied elsewhere.
  package var isCopied: Bool { copy != nil && settings.isCopied }

  /// What was shown lately, to make a loop of.
  package var recent: RecentMedia { parts.withLockedValue { $0.recent } }

  /// What was shown last, picture by picture, for viewers.
  package var photos: CameraPhotos { parts.withLockedValue { $0.photos } }

  /// Takes other settings with the same name. Its loop must not run meanwhile, unless they differ in nothing that
  /// `CameraSettings.needsNewLoop` asks for.
  func change(to settings: CameraSettings) {
    let isNewLoop = parts.withLockedValue { parts in
      let before = parts.settings
      parts.settings = settings
      if LoopSettings(before) != LoopSettings(settings) || before.remember != settings.remember {
        parts.recent = RecentMedia(length: settings.remember, timeline: settings.timeline, memory: recentMemory)
      }
      return settings.needsNewLoop(after: before)
    }
    inbox.adapt(to: settings, dropsDecoded: isNewLoop)
    advice.withLockedValue { $0.advice = SendAdvice(settings) }
  }

  /// Puts other photos in the place of those that were closed.
  func replacePhotos(with photos: CameraPhotos) { parts.withLockedValue { $0.photos = photos } }

  // MARK: What cameras and visitors do

  /// Accepts a still from the camera.
  ///
  /// - Throws: why it is refused; then only the count of refusals has changed.
  package func take(_ body: ByteBuffer) throws(StillRefusal) -> Receipt {
    do throws(StillRefusal) {
      let header = try JPEGHeader(body, maxPixels: settings.picture.maxPixels)
      var jpeg = body
      let still = Still(
        jpeg: jpeg.readSlice(length: header.length) ?? body, arrival: clock.now(), wallTime: clock.wall())
      let isEarly = settings.decodesEarly(header)
      let displaced = inbox.push(still, decodesEarly: isEarly)
      if isEarly { earlySignal.fire() }
      let sequence = count { counters in
        counters.displaced += displaced
        counters.taken += 1
        counters.takenBytes += Int64(still.jpeg.readableBytes)
        counters.lastStill = still.wallTime
        return counters.taken
      }
      let interval = advice.withLockedValue { $0.advice.next(after: still.arrival, nextSlot: $0.nextSlot) }
      return Receipt(sequence: sequence, interval: interval, waves: waves.count)
    } catch {
      refuse(error.reason)
      throw error
    }
  }

  /// Counts a still that was refused before it was read.
  package func refuse(_ reason: StillRefusal.Reason) { count { $0.refused[reason, default: 0] += 1 } }

  /// Counts a visitor's wave and reports it to listeners.
  ///
  /// - Returns: all waves so far.
  package func wave() -> Int64 { waves.wave() }

  // MARK: What operators and viewers ask for

  /// Has a command carried out.
  ///
  /// - Returns: whether it was carried out, which takes a moment; `false` if the camera has ended or too many commands
  ///   wait.
  package func carryOut(_ command: Command) async -> Bool { await commands.carryOut(command, waking: signal) }

  /// The playlist without parts, which is made while somebody requests it; `nil` if it has not begun by the deadline.
  package func plainPlaylist(
    deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool
  ) async -> EncodedText? {
    if let plain = plainPlaylistNow() { return plain }
    signal.fire()
    return await edge.plain(deadline: deadline, isWanted: isWanted)
  }

  /// The playlist without parts if it is being made; notes in any case that somebody requests it.
  package func plainPlaylistNow() -> EncodedText? {
    plainDemand.note(at: clock.now())
    return edge.plain
  }

  // MARK: Counters

  /// A copy of the counters.
  package var counters: Counters {
    var counters = tally.withLockedValue { $0 }
    counters.waves = waves.count
    return counters
  }

  /// Changes the counters.
  @discardableResult func count<Result>(_ change: (inout Counters) -> Result) -> Result {
    tally.withLockedValue { change(&$0) }
  }

  /// Counts a still that does not decode, and logs it.
  func tellUndecodable(_ error: any Error, logger: Logger) {
    let count = count { counters in
      counters.undecodable += 1
      return counters.undecodable
    }
    // The first of a series is logged for the operator; the counter counts the others.
    logger.log(
      level: count & (count - 1) == 0 ? .warning : .debug,
      "a still was accepted and cannot be shown (\(count) so far): \(error)")
  }

  // MARK: The camera's loop

  /// Notes when the next slot begins, for the advice to the camera.
  func slotBegins(at time: Ticks) { advice.withLockedValue { $0.nextSlot = time } }

  /// Takes the stills whose delay is over, in the order of arrival.
  func takeStills() -> [ArrivedStill] {
    let taken = inbox.take(arrivedBy: clock.now() - settings.delay)
    if taken.displaced > 0 { count { $0.displaced += taken.displaced } }
    return taken.stills
  }

  /// Takes the newest still that is decoded before its slot and whose delay is over.
  func takeEarly() -> Still? {
    let taken = inbox.takeEarly(arrivedBy: clock.now() - settings.delay)
    if taken.displaced > 0 { count { $0.displaced += taken.displaced } }
    return taken.still
  }

  /// Passes a still that was decoded before its slot to the next slot, or makes it the latest picture at once.
  func put(_ decoded: DecodedStill) {
    let displaced = inbox.put(decoded)
    if displaced > 0 { count { $0.displaced += displaced } }
    if settings.showsAtOnce { signal.fire() }
  }

  /// Ends the camera: all waits for it and all commands, now and later.
  func end() {
    commands.end()
    edge.end()
    events.end()
  }

  /// Ends the waits whose time is over or whose client has gone.
  func expire(at now: ContinuousClock.Instant) {
    edge.expire(at: now)
    events.expire(at: now)
    photos.expire(at: now)
  }
}
