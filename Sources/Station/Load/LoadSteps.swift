import Media

/// Decides how far the cameras of a machine are stepped down, from how busy its encode threads are.
///
/// It steps down quickly, when there is too little room or parts begin to be late, and up slowly, when one step more work
/// would leave room for some time. A step takes effect with each camera's next segment, so it reckons with what the work
/// will be once all cameras have taken it.
package struct LoadSteps: Hashable, Sendable {
  /// What was seen since the last sample.
  package struct Sample: Hashable, Sendable {
    /// The time that the encode threads worked, in thousandths of all their time.
    package var busy: Int
    /// Slots whose stills were put off because the work began late, in thousandths of all slots.
    package var putOff: Int
    /// How long after its slot the latest part was ready, in thousandths of its length.
    package var latest: Int
    /// What the cameras' work costs as they are encoded now, and what it would cost at each level; in any unit.
    package var cost: Int
    package var costs: [Int]

    /// A sample of these figures.
    package init(busy: Int, putOff: Int, latest: Int, cost: Int, costs: [Int]) {
      (self.busy, self.putOff, self.latest, self.cost, self.costs) = (busy, putOff, latest, cost, costs)
    }
  }

  /// More than this is too busy: the work is not even, and viewers need some of the machine.
  private static let most = 850
  /// With less than this at the level above, there is room for it.
  private static let roomy = 650
  /// A part that is ready later than this share of its length is near to being late, on threads that are at least so
  /// busy.
  private static let (late, lateBusy) = (60, 600)
  /// How many samples in a row must be too busy.
  private static let patience = 2
  /// How long there must be room; after a step up that was too much, twice as long each time.
  private static let (calm, mostCalm) = (Ticks.seconds(60), Ticks.seconds(960))

  /// The level for all cameras.
  package private(set) var level = LoadLevel.full
  /// Steps so far, down and up.
  package private(set) var downs: Int64 = 0
  package private(set) var ups: Int64 = 0
  private var busySamples = 0
  private var calmSince: Ticks?
  private var wait = calm
  private var lastUp: Ticks?

  /// Not stepped down.
  package init() {}

  /// Takes a sample, about once a second.
  package mutating func note(_ sample: Sample, at now: Ticks) {
    guard sample.cost > 0, sample.costs.count == LoadLevel.all.count else { return rest(at: now) }
    // What was put off is work that was not done, but for the repeats.
    let demand = sample.busy * 1000 / max(200, 1000 - sample.putOff * 85 / 100)
    func busy(at level: LoadLevel) -> Int { demand * sample.costs[level.index] / sample.cost }
    let hasTaken = sample.cost * 100 <= sample.costs[level.index] * 105
    let isLate = sample.latest > Self.late && sample.busy > Self.lateBusy
    if busy(at: level) > Self.most || (isLate && hasTaken) {
      calmSince = nil
      busySamples += 1
      if busySamples >= Self.patience { stepDown(at: now) }
      return
    }
    busySamples = 0
    guard level > .full else { return rest(at: now) }
    guard busy(at: level.up) < Self.roomy, !isLate, sample.putOff == 0 else {
      calmSince = nil
      return
    }
    goUpLater(at: now)
  }

  private mutating func stepDown(at now: Ticks) {
    guard level < .lowest else { return }
    if let lastUp, now - lastUp < wait * 2 { wait = min(wait * 2, Self.mostCalm) }
    level = level.down
    downs += 1
  }

  private mutating func goUpLater(at now: Ticks) {
    guard let since = calmSince else {
      calmSince = now
      return
    }
    guard now - since >= wait else { return }
    // What a step up needed long ago says little about now.
    if let lastUp, now - lastUp > Self.mostCalm * 2 { wait = Self.calm }
    level = level.up
    ups += 1
    (lastUp, calmSince) = (now, now)
  }

  /// Nothing is encoded, or all cameras have their own settings.
  private mutating func rest(at now: Ticks) {
    busySamples = 0
    guard level > .full else {
      calmSince = nil
      return
    }
    goUpLater(at: now)
  }
}
