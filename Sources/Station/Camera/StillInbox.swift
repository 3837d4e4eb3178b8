import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager

/// The stills of one camera before the next slot: those that the slot decodes, the newest that must be decoded before
/// its slot, and the newest that was.
final class StillInbox: Sendable {
  private struct State {
    var queue: StillQueue
    /// The stills that must be decoded before their slot, and one that was.
    var early: StillQueue
    var decoded: DecodedStill?
    /// How often stills were dropped; one that is being decoded at that time is dropped too.
    var drops = 0
    var dropsBeforeDecoding = 0
    /// The arrival of the newest still that a slot took.
    var newestTaken: Ticks?
  }

  private let state: NIOLockedValueBox<State>

  /// An empty inbox.
  init(_ settings: CameraSettings) {
    let limits = Self.limits(settings)
    state = NIOLockedValueBox(
      State(
        queue: StillQueue(maxCount: limits.count, maxBytes: limits.bytes),
        early: StillQueue(maxCount: Self.earlyCount(settings), maxBytes: limits.bytes)))
  }

  private static func limits(_ settings: CameraSettings) -> (count: Int, bytes: Int) {
    // A slot can show one still in each step; twice as many can wait, so that a burst keeps its rhythm. Delayed stills
    // need more room: one for each step would fill the memory, one for each interval does not.
    let delayed = Int(settings.delay.floorDivided(by: max(settings.interval, settings.timeline.step)))
    let count = 2 * settings.timeline.stepsPerPart + 2 * delayed
    return (max(4, count), 2 * settings.maxStillBytes + delayed * 1_000_000)
  }

  /// Without a delay only the newest of those that are decoded early is of use: the decoder takes it at once.
  private static func earlyCount(_ settings: CameraSettings) -> Int {
    settings.delay == .zero ? 1 : limits(settings).count
  }

  /// Keeps what waits, within the limits of other settings.
  ///
  /// - Parameter dropsDecoded: whether what was decoded, cropped and masked by the settings before is dropped.
  func adapt(to settings: CameraSettings, dropsDecoded: Bool) {
    let (limits, earlyCount) = (Self.limits(settings), Self.earlyCount(settings))
    state.withLockedValue { state in
      state.queue.limit(maxCount: limits.count, maxBytes: limits.bytes)
      state.early.limit(maxCount: earlyCount, maxBytes: limits.bytes)
      guard dropsDecoded else { return }
      state.decoded = nil
      state.drops += 1
    }
  }

  /// Accepts a still.
  ///
  /// - Parameter decodesEarly: whether it is decoded before its slot, see `takeEarly`.
  /// - Returns: how many older stills were dropped for it.
  func push(_ still: Still, decodesEarly: Bool) -> Int64 {
    state.withLockedValue { state in
      Int64((decodesEarly ? state.early.push(still) : state.queue.push(still)).displaced)
    }
  }

  /// Takes the stills for a slot that arrived at `cutoff` or earlier, in the order of arrival.
  ///
  /// - Returns: them, and how many were overtaken by a later one.
  func take(arrivedBy cutoff: Ticks) -> (stills: [ArrivedStill], displaced: Int64) {
    state.withLockedValue { state in
      var stills = state.queue.take(arrivedBy: cutoff).map { ArrivedStill($0) }
      var displaced: Int64 = 0
      if let decoded = state.decoded.take() {
        if let newest = state.newestTaken, decoded.still.arrival < newest {
          // A small still that came later was faster.
          displaced = 1
        } else {
          let index = stills.firstIndex { $0.still.arrival > decoded.still.arrival } ?? stills.endIndex
          stills.insert(ArrivedStill(decoded), at: index)
        }
      }
      state.newestTaken = stills.last?.still.arrival ?? state.newestTaken
      return (stills, displaced)
    }
  }

  /// Drops all stills, also the one that is being decoded.
  func drop() {
    state.withLockedValue { state in
      _ = state.queue.takeAll()
      _ = state.early.takeAll()
      state.decoded = nil
      state.drops += 1
    }
  }

  /// Takes the newest still that must be decoded before its slot and arrived at `cutoff` or earlier.
  ///
  /// - Returns: it, and how many older ones were dropped for it.
  func takeEarly(arrivedBy cutoff: Ticks) -> (still: Still?, displaced: Int64) {
    state.withLockedValue { state in
      state.dropsBeforeDecoding = state.drops
      let due = state.early.take(arrivedBy: cutoff)
      return (due.last, Int64(max(0, due.count - 1)))
    }
  }

  /// When the oldest still arrived that must be decoded before its slot; `nil` if none waits.
  var oldestEarly: Ticks? { state.withLockedValue { $0.early.oldest } }

  /// Returns it decoded.
  ///
  /// - Returns: how many older stills were dropped for it.
  func put(_ decoded: DecodedStill) -> Int64 {
    state.withLockedValue { state in
      guard state.dropsBeforeDecoding == state.drops else { return 0 }
      defer { state.decoded = decoded }
      return state.decoded == nil ? 0 : 1
    }
  }
}
