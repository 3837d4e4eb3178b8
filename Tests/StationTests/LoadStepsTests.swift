import Media
import TestSupport
import Testing

@testable import Station

/// A machine with cameras that take new levels after a while, by a clock of its own.
private struct Machine {
  var steps = LoadSteps()
  /// What the cameras would take of the threads with their own settings, in thousandths.
  var demand: Int
  /// How late the latest part is, in thousandths of its length, if there is more work than time.
  var lateness = 95
  private(set) var now = Ticks.zero
  /// The level that each of thirty cameras is encoded at.
  private var taken = [LoadLevel](repeating: .full, count: 30)
  private(set) var changes: [(time: Ticks, level: LoadLevel)] = []

  init(demand: Int) { self.demand = demand }

  static let costs = LoadLevel.all.map { $0.cost(for: EncoderSettings()) }

  /// What the threads would have to do.
  var work: Int { demand * taken.reduce(0) { $0 + Self.costs[$1.index] } / (30 * Self.costs[0]) }

  /// Seconds in each of which one camera begins a segment.
  ///
  /// - Parameter backlog: whether the threads also work off what has come at once.
  mutating func pass(_ seconds: Int, backlog: Bool = false, noise: () -> Int = { 0 }) {
    for _ in 0..<seconds {
      taken[Int(now.count / Ticks.perSecond) % 30] = steps.level
      now = now + .seconds(1)
      let work = max(0, work + noise())
      let before = steps.level
      steps.note(
        LoadSteps.Sample(
          demand: work, putOff: work > 1000 ? (work - 1000) * 1000 / work : backlog ? 800 : 0,
          latest: work > 950 || backlog ? lateness : 30, cost: taken.reduce(0) { $0 + Self.costs[$1.index] },
          costs: Self.costs.map { $0 * 30 }), at: now)
      if steps.level != before { changes.append((now, steps.level)) }
    }
  }
}

@Suite struct LoadStepsTests {
  @Test func aMachineWithRoomIsLeftAlone() {
    var machine = Machine(demand: 800)
    machine.pass(3600)
    #expect(machine.changes.isEmpty)
  }

  @Test(arguments: [200, 400, 550]) func aBacklogThatIsWorkedOffIsNoReason(_ demand: Int) {
    var machine = Machine(demand: demand)
    machine.pass(20, backlog: true)
    machine.pass(600)
    #expect(machine.changes.isEmpty)
  }

  /// A part that is late costs one step at once, and no more; it is taken back as soon as that is over.
  @Test func aLatePartOfABacklogCostsAStepForSeconds() {
    var machine = Machine(demand: 400)
    machine.lateness = 120
    machine.pass(1, backlog: true)
    #expect(machine.steps.level == LoadLevel.full.down)
    machine.pass(2, backlog: true)
    machine.pass(12)
    #expect(machine.changes.map(\.level) == [LoadLevel.full.down, .full])
    machine.pass(3600)
    #expect(machine.changes.count == 2)
  }

  @Test(arguments: [900, 1100, 1500, 2000, 3000])
  func tooMuchWorkIsLessWithinASegment(_ demand: Int) {
    var machine = Machine(demand: demand)
    machine.pass(45)
    #expect(machine.work <= 900)
    // Not much further than it needs.
    let level = machine.steps.level
    #expect(level > .full && demand * Machine.costs[level.up.index] / Machine.costs[0] > 750)
  }

  @Test(arguments: [1000, 1500, 3000]) func realOverloadStepsWithinTwoSecondsAndThenEachSecond(_ demand: Int) {
    var machine = Machine(demand: demand)
    machine.pass(20)
    let times = machine.changes.map(\.time)
    #expect(times.first.map { $0 <= .seconds(2) } == true)
    #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 <= .seconds(2) })
  }

  @Test func moreThanTheMachineCanDoEndsAtTheLowestLevel() {
    var machine = Machine(demand: 50_000)
    machine.pass(120)
    #expect(machine.steps.level == .lowest)
    machine.pass(600)
    #expect(machine.steps.level == .lowest)
  }

  @Test(arguments: [1100, 1500, 2000, 3000])
  func whenTheWorkIsGoneAllComesBackInSecondsForEachStep(_ demand: Int) throws {
    var machine = Machine(demand: demand)
    machine.pass(120)
    let down = machine.steps.level
    machine.demand = 300
    machine.pass(7)
    #expect(machine.steps.level == down)
    machine.pass(2 + 8 * down.index)
    #expect(machine.steps.level == .full)
  }

  /// Whatever the work is, if it stays the same, the level soon does too.
  @Test(arguments: Array(stride(from: 500, through: 4000, by: 250)))
  func steadyWorkHasASteadyLevel(_ demand: Int) {
    var random = SeededGenerator(seed: UInt64(demand))
    var machine = Machine(demand: demand)
    machine.pass(3 * 3600) { Int.random(in: -40...40, using: &random) }
    // A try to go up is rarer each time.
    let lastHour = machine.changes.filter { $0.time > .seconds(2 * 3600) }
    #expect(lastHour.count <= 4)
  }

  /// A level that costs more than is reckoned is tried again more and more rarely: in the first hour at most twenty
  /// changes, in each later one at most ten.
  @Test(arguments: 1...60 as ClosedRange<UInt64>) func nothingFlaps(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let demand = Int.random(in: 300...4500, using: &random)
    let swing = Int.random(in: 0...150, using: &random)
    let excess = Int.random(in: 0...60, using: &random)
    var machine = Machine(demand: demand)
    for _ in 0..<4 * 360 {
      // What is reckoned for a level is never quite what it takes.
      machine.demand = demand + demand * excess * (machine.steps.level.index % 2) / 100
      machine.pass(10) { Int.random(in: -swing...swing, using: &random) }
    }
    let start = machine.changes.filter { $0.time <= .seconds(60) }.count
    let hours = (0..<4).map { hour in
      machine.changes.count { $0.time > .seconds(Int64(hour) * 3600) && $0.time <= .seconds(Int64(hour + 1) * 3600) }
    }
    #expect(hours[0] - start <= 20 && hours.dropFirst().allSatisfy { $0 <= 10 }, "\(demand), \(swing), \(hours)")
  }

  @Test func whateverHappensEachChangeIsOneStep() {
    var random = SeededGenerator(seed: 3)
    var machine = Machine(demand: 500)
    for _ in 0..<400 {
      machine.demand = Int.random(in: 0...5000, using: &random)
      machine.pass(Int.random(in: 1...90, using: &random))
    }
    let levels = [0] + machine.changes.map(\.level.index)
    #expect(zip(levels, levels.dropFirst()).allSatisfy { abs($0 - $1) == 1 })
    #expect(Int(machine.steps.downs) - Int(machine.steps.ups) == machine.steps.level.index)
    #expect(machine.changes.count >= 10)
  }

  @Test func camerasThatEncodeNothingTellNothing() {
    var steps = LoadSteps()
    for second in 0..<100 {
      let sample = LoadSteps.Sample(demand: 1000, putOff: 0, latest: 500, cost: 0, costs: LoadLevel.all.map { _ in 0 })
      steps.note(sample, at: .seconds(Int64(second)))
    }
    #expect(steps.level == .full)
  }
}

@Suite struct LoadLevelTests {
  @Test func eachStepIsLessWork() {
    let costs = LoadLevel.all.map { $0.cost(for: EncoderSettings()) }
    // A picture in each part is less work only for cameras that send more.
    #expect(zip(costs, costs.dropFirst()).allSatisfy { $0 >= $1 })
    #expect(costs.last! * 4 < costs[0])
  }

  @Test(arguments: EncoderSettings.Preset.allCases, [1, 3, 9, 16])
  func noLevelTakesMoreWorkThanTheCamerasOwnSettings(_ preset: EncoderSettings.Preset, _ references: Int) {
    let own = EncoderSettings(preset: preset, references: references)
    for level in LoadLevel.all {
      let stepped = level.settings(for: own)
      #expect(stepped.preset <= preset)
      #expect(stepped.references == references && stepped.searched ?? references <= references)
      #expect(level.cost(for: own) <= LoadLevel.full.cost(for: own))
    }
    #expect(LoadLevel.full.settings(for: own) == own)
  }
}

@Suite struct StillPacingTests {
  private let part = Ticks.seconds(2)

  @Test func allStillsAreCodedInTime() {
    var pacing = StillPacing(part: part)
    for slot in 0..<50 {
      let decision = pacing.next(
        hasStills: true, beginsSegment: slot % 15 == 0, delay: .milliseconds(20), level: .full)
      #expect(decision == .all)
    }
  }

  @Test func lateStillsWaitButNotForever() {
    var pacing = StillPacing(part: part)
    let decisions = (1..<40).map { _ in
      pacing.next(hasStills: true, beginsSegment: false, delay: .milliseconds(150), level: .full)
    }
    #expect(decisions[0] == .putOff(isLate: true))
    #expect(decisions.count { $0 == .all } == 39 / 6)
  }

  @Test func theFirstPictureOfASegmentIsCodedAlways() {
    var pacing = StillPacing(part: part)
    #expect(pacing.next(hasStills: true, beginsSegment: true, delay: .seconds(5), level: .lowest) == .newest)
  }

  /// Where many cameras begin at once, those that would be late wait, also at the beginning of a segment, but not forever.
  @Test func encodersAreOpenedOneAfterAnother() {
    var pacing = StillPacing(part: part)
    let decisions = (0..<12).map { slot in
      pacing.next(
        hasStills: true, beginsSegment: slot == 0, opensEncoder: true, delay: .milliseconds(50), level: .full)
    }
    #expect(decisions[..<8].allSatisfy { $0 == .putOff(isLate: true) } && decisions[8] == .all)
    var quick = StillPacing(part: part)
    #expect(
      quick.next(hasStills: true, beginsSegment: false, opensEncoder: true, delay: .milliseconds(5), level: .full)
        == .all)
  }

  @Test(arguments: LoadLevel.all) func picturesAreAsRareAsTheLevelSays(_ level: LoadLevel) {
    var pacing = StillPacing(part: part)
    let decisions = (0..<60).map { _ in
      pacing.next(hasStills: true, beginsSegment: false, delay: .zero, level: level)
    }
    #expect(decisions.count { $0 != .putOff(isLate: false) } == 60 * level.share.shown / level.share.parts)
    #expect(decisions.contains(.newest) == (level.picturesPerPart == 1))
  }

  @Test func aSlotWithoutStillsWaitsForNothing() {
    var pacing = StillPacing(part: part)
    _ = pacing.next(hasStills: true, beginsSegment: false, delay: .zero, level: .lowest)
    for _ in 0..<10 {
      #expect(pacing.next(hasStills: false, beginsSegment: false, delay: .seconds(1), level: .lowest) == .all)
    }
    #expect(pacing.next(hasStills: true, beginsSegment: false, delay: .zero, level: .lowest) == .newest)
  }
}

@Suite struct SlotPlaceTests {
  @Test(arguments: [10, 60, 100, 300]) func camerasAreSpreadEvenly(_ count: Int) {
    let slot = Ticks.seconds(2)
    let phases = (0..<count).map { SlotPlace(number: $0).wait(at: WallTime(milliseconds: 0), slot: slot) }.sorted()
    #expect(phases.allSatisfy { $0 >= .zero && $0 < slot })
    // No gap is larger than three of the mean ones.
    let gaps = zip(phases, phases.dropFirst() + [phases[0] + slot]).map { $1 - $0 }
    #expect((gaps.max() ?? .zero).count * Int64(count) <= slot.count * 3)
    let ends = (0..<count).map { SlotPlace(number: $0).firstParts(of: 15) ?? 15 }
    for parts in 1...15 {
      let share = ends.count { $0 == parts }
      #expect(share <= count / 15 + 2 && share >= count / 15 - 2)
    }
  }

  @Test func aRestartKeepsThePhase() {
    var random = SeededGenerator(seed: 11)
    for number in 0..<200 {
      let place = SlotPlace(number: number)
      let slot = Ticks.milliseconds(Int64.random(in: 2...60, using: &random) * 100)
      var phases: Set<Ticks> = []
      for _ in 0..<5 {
        let now = WallTime(milliseconds: 1_764_000_000_000 + Int64.random(in: 0...10_000_000, using: &random))
        let begins = Ticks.milliseconds(now.milliseconds) + place.wait(at: now, slot: slot)
        phases.insert(begins - slot * begins.floorDivided(by: slot))
      }
      #expect(phases.count == 1)
    }
  }

  @Test func aStreamThatGoesOnKeepsItsSegments() {
    #expect((0..<50).allSatisfy { SlotPlace(number: $0, isFirst: false).firstParts(of: 15) == nil })
  }
}
