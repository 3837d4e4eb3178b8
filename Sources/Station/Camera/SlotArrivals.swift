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

  init(_ settings: CameraSettings, collectedFrom: Ticks) {
    self.settings = settings
    self.collectedFrom = collectedFrom
  }

  /// Keeps a still that is the latest picture already, for its slot.
  mutating func keep(_ still: ArrivedStill) { early.append(still) }

  /// Forgets the stills that were kept.
  mutating func forget() { early.removeAll() }

  /// Ends the collecting for a slot.
  ///
  /// - Parameter beginning: when the slot begins; the next one begins to collect then.
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
