import Media
import Packager

/// The stills of one slot, and the steps at which they begin to show.
struct SlotArrivals {
  /// The stills, in the order of arrival.
  let stills: [ArrivedStill]
  /// When each counts as arrived: later than it came by the delay of the camera.
  let arrivals: [Ticks]
  /// For each step the index of the still that begins to show there; `nil` if the picture before stays.
  let arrangement: [Int?]
  /// When the slot began to collect stills.
  let collectedFrom: Ticks

  /// Those that are shown, with their steps.
  var placed: [(step: Int, still: Still)] {
    arrangement.enumerated().compactMap { step, index in index.map { (step: step, still: stills[$0].still) } }
  }

  /// The same slot without its stills.
  var withoutStills: SlotArrivals {
    SlotArrivals(
      stills: [], arrivals: [], arrangement: arrangement.map { _ in nil }, collectedFrom: collectedFrom)
  }

  /// The same slot with its newest still alone.
  var withNewestOnly: SlotArrivals {
    guard let newest = stills.last, let arrival = arrivals.last, stills.count > 1 else { return self }
    let arrangement = arrangement.indices.map { $0 == 0 ? 0 : nil }
    return SlotArrivals(
      stills: [newest], arrivals: [arrival], arrangement: arrangement, collectedFrom: collectedFrom)
  }

  /// The slot offset of a still: how long after the start of collecting it arrived.
  func slotOffset(_ index: Int) -> Ticks { arrivals[index] - collectedFrom }
}

/// Collects the stills of one slot after another.
struct SlotCollector {
  private let settings: CameraSettings
  /// When the current slot began to collect stills.
  private(set) var collectedFrom: Ticks
  /// The stills that were shown as the latest picture before their slot.
  private var early: [ArrivedStill] = []
  /// The newest still of slots whose stills were put off.
  private var waiting: ArrivedStill?

  init(_ settings: CameraSettings, collectedFrom: Ticks) {
    self.settings = settings
    self.collectedFrom = collectedFrom
  }

  /// Keeps a still that is the latest picture already, for its slot.
  mutating func keep(_ still: ArrivedStill) { early.append(still) }

  /// Forgets the stills that were kept.
  mutating func forget() {
    early.removeAll()
    waiting = nil
  }

  /// Puts the stills of a slot off to the next one, where the newest is shown if no other comes.
  ///
  /// - Returns: how many of them will never be shown.
  mutating func putOff(_ slot: SlotArrivals) -> Int {
    guard let newest = slot.stills.last else { return 0 }
    waiting = newest
    return slot.stills.count - 1
  }

  /// Ends the collecting for a slot.
  ///
  /// - Parameter beginning: when the slot begins; the next one begins to collect then.
  /// - Returns: the slot, and how many stills that were put off a newer one has replaced.
  mutating func collect(_ newest: [ArrivedStill], begins beginning: Ticks) -> (slot: SlotArrivals, displaced: Int) {
    let fresh = early + newest
    let displaced = waiting != nil && !fresh.isEmpty ? 1 : 0
    let stills = fresh.isEmpty ? [waiting].compactMap { $0 } : fresh
    early.removeAll()
    waiting = nil
    defer { collectedFrom = beginning }
    let arrivals = stills.map { $0.still.arrival + settings.delay }
    let timeline = settings.timeline
    let slot = SlotArrivals(
      stills: stills, arrivals: arrivals,
      arrangement: SlotPictures.arrange(
        arrivals: arrivals, collectedFrom: collectedFrom, step: timeline.step, count: timeline.stepsPerPart),
      collectedFrom: collectedFrom)
    return (slot, displaced)
  }
}
