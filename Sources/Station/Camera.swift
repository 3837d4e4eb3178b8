import Logging
import Media
import NIOCore
import Packager
import Picture
import Synchronization

/// One camera as the doors see it: stills go in here, and what is published stands at its edge.
public final class Camera: Sendable {
  /// What a camera is told about a still that was taken.
  public struct Receipt: Hashable, Sendable {
    /// The number of the still, from 1 in each life of the process.
    public let sequence: Int64
    /// How long the camera should wait before the next one.
    public let interval: Ticks
    /// How often visitors have waved.
    public let waves: Int64
  }

  /// What has happened at a camera since the process began.
  public struct Counters: Hashable, Sendable {
    /// Stills that were taken.
    public var taken: Int64 = 0
    /// Bytes of these stills.
    public var takenBytes: Int64 = 0
    /// Stills that were refused at the door, by reason.
    public var refused: [StillRefusal.Reason: Int64] = [:]
    /// Stills that were taken and did not decode.
    public var undecodable: Int64 = 0
    /// Stills that a newer one pushed aside.
    public var displaced: Int64 = 0
    /// Stills that are or were on the screens.
    public var shown: Int64 = 0
    /// Parts that were published.
    public var parts: Int64 = 0
    /// Bytes of these parts.
    public var partBytes: Int64 = 0
    /// Visitors' waves.
    public var waves: Int64 = 0
    /// Failed writes to the store.
    public var storeFailures: Int64 = 0
    /// When the newest still came.
    public var lastStill: WallTime?
  }

  private struct State {
    var queue: StillQueue
    var wavesTold: (count: Int64, at: Ticks)?
    var counters = Counters()
  }

  /// The camera's settings.
  public let settings: CameraSettings
  /// What is published.
  public let edge = LiveEdge()
  let clock: StationClock
  private let state: Mutex<State>

  /// A camera that nothing has been pushed to yet.
  public init(settings: CameraSettings, clock: StationClock) {
    self.settings = settings
    self.clock = clock
    // A slot can show one still a step; twice as many may wait, so that a burst keeps its rhythm.
    let count = 2 * settings.timeline.stepsPerPart
    state = Mutex(State(queue: StillQueue(maxCount: max(4, count), maxBytes: 2 * settings.maxStillBytes)))
  }

  /// A copy of the counters.
  public var counters: Counters { state.withLock { $0.counters } }

  /// Takes a still that a camera has pushed.
  ///
  /// - Throws: why it is refused; nothing has changed then but the count of refusals.
  public func take(_ body: ByteBuffer) throws(StillRefusal) -> Receipt {
    do throws(StillRefusal) {
      let header = try JPEGHeader(body, maxPixels: settings.picture.maxPixels)
      var jpeg = body
      let still = Still(
        jpeg: jpeg.readSlice(length: header.length) ?? body, arrival: clock.now(), wallTime: clock.wall())
      return state.withLock { state in
        state.counters.displaced += Int64(state.queue.push(still).displaced)
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
  public func refuse(_ reason: StillRefusal.Reason) {
    state.withLock { $0.counters.refused[reason, default: 0] += 1 }
  }

  /// Counts a visitor's wave and tells those who listen: at once, or with the next slot if that was done within a
  /// second. Waves are cheap to make, and each event goes to every listener.
  ///
  /// - Returns: all waves so far.
  public func wave() -> Int64 {
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
    let waves = state.withLock { state -> Int64? in
      let told = state.wavesTold
      guard state.counters.waves > told?.count ?? 0, told.map({ now - $0.at >= .seconds(1) }) ?? true else {
        return nil
      }
      state.wavesTold = (state.counters.waves, now)
      return state.counters.waves
    }
    if let waves { edge.announce(.wave, at: clock.wall(), json: "{\"waves\":\(waves)}") }
  }

  /// Takes the stills that wait.
  func takeStills() -> [Still] { state.withLock { $0.queue.takeAll() } }

  /// Changes the counters.
  func count<Result: Sendable>(_ change: (inout sending Counters) -> sending Result) -> Result {
    state.withLock { change(&$0.counters) }
  }
}
