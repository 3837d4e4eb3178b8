import Media

/// Decides how far the cameras of a machine are stepped down, from what they need of its encode threads.
///
/// It steps down when they need more than there is, or when a part is late or nearly so; and up when what they would need
/// one level higher is clearly there. A step takes effect with each camera's next segment, so it reckons with what the
/// work will be once all cameras have taken it.
package struct LoadSteps: Hashable, Sendable {
  /// What was seen since the last sample.
  package struct Sample: Hashable, Sendable {
    /// How much of their time the encode threads need for all that comes, as the cameras are encoded now, in thousandths.
    /// A backlog that is worked off is no part of it: see `LoadDemand`.
    package var demand: Int
    /// How much of that is the same at each level.
    package var fixed: Int
    /// Slots whose stills were put off because the work began late, in thousandths of all slots.
    package var putOff: Int
    /// How long after its slot the latest part was ready, in thousandths of its length.
    package var latest: Int
    /// What the cameras' work costs as they are encoded now, and what it would cost at each level; in any unit.
    package var cost: Int
    package var costs: [Int]

    /// A sample of these figures.
    package init(demand: Int, fixed: Int = 0, putOff: Int, latest: Int, cost: Int, costs: [Int]) {
      (self.demand, self.fixed, self.putOff, self.latest) = (demand, fixed, putOff, latest)
      (self.cost, self.costs) = (cost, costs)
    }

    /// What will be needed once all cameras are encoded at a level.
    func demand(at level: LoadLevel) -> Int { fixed + (demand - fixed) * costs[level.index] / max(1, cost) }
  }

  /// More than this is too much: the work is not even, and viewers need some of the machine.
  private static let most = 850
  /// With less than this at the level above, there is room for it.
  private static let roomy = 780
  /// A part that is ready later than this share of its length is late.
  private static let late = 100
  /// With less demand than this, a late part has other reasons than too many cameras.
  private static let lateDemand = 300
  /// A part that is ready later than this is near to being late, where there is so much demand.
  private static let (nearlyLate, nearlyLateDemand) = (60, 600)
  /// So few slots may be put off where there is room.
  private static let fewPutOff = 20
  /// How long after a step down late parts cost another one at the earliest.
  private static let pause = Ticks.seconds(10)
  /// How many samples in a row must show too much.
  private static let patience = 2
  /// How long there must be room. After a step up that was too much it is a minute, and twice as long each time.
  private static let (calm, longCalm, mostCalm) = (Ticks.seconds(8), Ticks.seconds(60), Ticks.seconds(960))
  /// How long a step up takes until all cameras have taken it and the threads feel it.
  private static let effect = Ticks.seconds(60)

  /// The level for all cameras.
  package private(set) var level = LoadLevel.full
  /// Steps so far, down and up.
  package private(set) var downs: Int64 = 0
  package private(set) var ups: Int64 = 0
  private var busySamples = 0
  private var calmSince: Ticks?
  private var lastDown: Ticks?
  private var wait = calm
  /// The last step up, until it was too much.
  private var lastUp: Ticks?
  /// When a step up was too much.
  private var failed: Ticks?

  /// Not stepped down.
  package init() {}

  /// Takes a sample, about once a second.
  package mutating func note(_ sample: Sample, at now: Ticks) {
    guard sample.cost > 0, sample.costs.count == LoadLevel.all.count else { return rest(at: now) }
    // What a step does for late parts shows once the cameras have taken it.
    let hasTaken =
      sample.cost * 100 <= sample.costs[level.index] * 105 && lastDown.map { now - $0 >= Self.pause } ?? true
    let isLate = sample.latest > Self.late && sample.demand > Self.lateDemand
    let isNearlyLate = sample.latest > Self.nearlyLate && sample.demand > Self.nearlyLateDemand
    if sample.demand(at: level) > Self.most || ((isLate || isNearlyLate) && hasTaken) {
      calmSince = nil
      busySamples += 1
      // A part is never late for want of a step.
      if busySamples >= Self.patience || (isLate && hasTaken) { stepDown(at: now) }
      return
    }
    busySamples = 0
    guard level > .full else { return rest(at: now) }
    guard sample.demand(at: level.up) < Self.roomy, !isLate, !isNearlyLate, sample.putOff <= Self.fewPutOff else {
      calmSince = nil
      return
    }
    goUpLater(at: now)
  }

  private mutating func stepDown(at now: Ticks) {
    guard level < .lowest else { return }
    if let lastUp, now - lastUp < wait * 2 + Self.effect {
      wait = min(max(wait * 2, Self.longCalm), Self.mostCalm)
      // Further steps down come of the same step up.
      (self.lastUp, failed) = (nil, now)
    }
    level = level.down
    downs += 1
    lastDown = now
  }

  private mutating func goUpLater(at now: Ticks) {
    guard let since = calmSince else {
      calmSince = now
      return
    }
    // What was too much long ago says little about now.
    if let failed, now - failed > Self.mostCalm * 2 { (wait, self.failed) = (Self.calm, nil) }
    guard now - since >= wait else { return }
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
