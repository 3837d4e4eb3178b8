import Ingest
import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager
import Picture

/// One camera as the listeners see it: stills go in here, and what is published stands at its edge.
package final class Camera: Sendable {
  /// What a camera is told about a still that was taken.
  package struct Receipt: Hashable, Sendable {
    /// The number of the still, from 1 in each life of the process.
    package let sequence: Int64
    /// How long the camera should wait before the next one, so that it comes just before a slot begins.
    package let interval: Ticks
    /// How often visitors have waved.
    package let waves: Int64
  }

  /// The camera's settings.
  package let settings: CameraSettings
  /// What is published.
  package let edge = LiveEdge()
  /// What happens, for those who listen.
  package let events = EventFeed()
  /// What was shown lately, for making a loop of it.
  package let recent: RecentMedia
  /// What was shown last, picture by picture, for viewers.
  package let photos: CameraPhotos
  /// The stills that wait for their slot.
  let inbox: StillInbox
  /// What the operator wants.
  let commands = CommandQueue()
  /// Visitors' waves.
  let waves: WaveCounter
  /// Whether somebody wants the playlist without parts.
  let plainDemand = PlainDemand()
  /// Wakes the loop before its time.
  let signal = Signal()
  /// Wakes who decodes stills before their slot.
  let earlySignal = Signal()
  let clock: StationClock
  private let tally = NIOLockedValueBox(Counters())
  private let advice: NIOLockedValueBox<(advice: SendAdvice, nextSlot: Ticks?)>

  /// A camera that nothing has been pushed to yet.
  package init(settings: CameraSettings, clock: StationClock) {
    self.settings = settings
    self.clock = clock
    recent = RecentMedia(length: settings.remember, timeline: settings.timeline)
    photos = CameraPhotos(count: settings.keepPhotos)
    inbox = StillInbox(settings)
    advice = NIOLockedValueBox(
      (SendAdvice(interval: settings.interval, slot: settings.timeline.part, delay: settings.delay), nil))
    waves = WaveCounter(clock: clock, events: events)
  }

  // MARK: What cameras and visitors do

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

  /// Counts a still that was refused before it could be looked at.
  package func refuse(_ reason: StillRefusal.Reason) { count { $0.refused[reason, default: 0] += 1 } }

  /// Counts a visitor's wave and tells those who listen.
  ///
  /// - Returns: all waves so far.
  package func wave() -> Int64 { waves.wave() }

  // MARK: What operators and viewers ask for

  /// Has a command carried out.
  ///
  /// - Returns: whether it was, which takes an instant; `false` when the camera has ended or too many commands wait.
  package func carryOut(_ command: Command) async -> Bool { await commands.carryOut(command, waking: signal) }

  /// The playlist without parts, which is made while somebody asks for it; `nil` when it has not begun by the deadline.
  package func plainPlaylist(
    deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool
  ) async -> EncodedText? {
    plainDemand.note(at: clock.now())
    if let plain = edge.plain { return plain }
    signal.fire()
    return await edge.plain(deadline: deadline, isWanted: isWanted)
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
    // The first of a series tells the operator; the counter tells the rest.
    logger.log(
      level: count & (count - 1) == 0 ? .warning : .debug,
      "a still was taken and cannot be shown (\(count) so far): \(error)")
  }

  // MARK: The camera's loop

  /// Notes when the next slot begins, for the advice to the camera.
  func slotBegins(at time: Ticks) { advice.withLockedValue { $0.nextSlot = time } }

  /// Takes the stills whose delay is over, in the order in which they came.
  func takeStills() -> [ArrivedStill] {
    let taken = inbox.take(arrivedBy: clock.now() - settings.delay)
    if taken.displaced > 0 { count { $0.displaced += taken.displaced } }
    return taken.stills
  }

  /// Brings a still that was decoded before its slot to the next slot, or to the latest picture at once.
  func put(_ decoded: DecodedStill) {
    let displaced = inbox.put(decoded)
    if displaced > 0 { count { $0.displaced += displaced } }
    if settings.showsAtOnce { signal.fire() }
  }

  /// Lets go of all who wait and whose time is up or whose client has gone.
  func expire(at now: ContinuousClock.Instant) {
    edge.expire(at: now)
    events.expire(at: now)
    photos.expire(at: now)
  }
}
