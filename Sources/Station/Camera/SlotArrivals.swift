import Media
import Packager

/// The stills of one slot, and the steps at which they begin to show.
struct SlotArrivals {
  /// The stills, in the order in which they came.
  let stills: [ArrivedStill]
  /// When each counts as arrived: with the delay for which it was kept back.
  let arrivals: [Ticks]
  /// For each step the index of the still that begins to show there; `nil` where the picture before goes on.
  let arrangement: [Int?]
  /// When the collecting began.
  let collectedFrom: Ticks

  /// Those that are shown, with their steps.
  var placed: [(step: Int, still: Still)] {
    arrangement.enumerated().compactMap { step, index in index.map { (step: step, still: stills[$0].still) } }
  }

  /// How long after the collecting had begun a still arrived.
  func slotOffset(_ index: Int) -> Ticks { arrivals[index] - collectedFrom }
}

/// Collects the stills of one slot after the other.
struct SlotCollector {
  private let settings: CameraSettings
  /// When the collecting for the slot under way began.
  private(set) var collectedFrom: Ticks
  /// The stills that were shown as the latest picture before their slot.
  private var early: [ArrivedStill] = []

  init(_ settings: CameraSettings, collectedFrom: Ticks) {
    self.settings = settings
    self.collectedFrom = collectedFrom
  }

  /// Keeps a still for its slot that is the latest picture already.
  mutating func keep(_ still: ArrivedStill) { early.append(still) }

  /// Forgets the stills that were kept.
  mutating func forget() { early.removeAll() }

  /// Ends the collecting for a slot.
  ///
  /// - Parameter beginning: when the slot begins; the collecting for the next one begins then.
  mutating func collect(_ newest: [ArrivedStill], begins beginning: Ticks) -> SlotArrivals {
    let stills = early + newest
    early.removeAll()
    defer { collectedFrom = beginning }
    let arrivals = stills.map { $0.still.arrival + settings.delay }
    let timeline = settings.timeline
    return SlotArrivals(
      stills: stills, arrivals: arrivals,
      arrangement: SlotPictures.arrange(
        arrivals: arrivals, collectedFrom: collectedFrom, step: timeline.step, count: timeline.stepsPerPart),
      collectedFrom: collectedFrom)
  }
}
