import Media
import Packager
import TestSupport
import Testing

@testable import Station

/// A camera's stills against a slot clock that follows them, without waiting for either.
@Suite struct ShutterPhaseTests {
  private static let slot = Ticks.seconds(2)

  /// The outcome of some time with a camera.
  private struct Course {
    /// How long each still waited for its slot.
    var waits: [Ticks] = []
    var moves: [Ticks] = []
    /// When each slot began.
    var beginnings: [Ticks] = []

    /// The wait that half of the last stills had at most.
    func middle(last count: Int) -> Ticks {
      let waits = waits.suffix(count).sorted()
      return waits[waits.count / 2]
    }
  }

  /// Runs slots for a while.
  ///
  /// - Parameter gap: the time from each still to the next.
  private func run(
    slots: Int, from start: Ticks, slot: Ticks = ShutterPhaseTests.slot, gap: (Int) -> Ticks
  ) throws -> Course {
    var clock = SlotClock(settings: try TimelineSettings(rate: 10, part: slot), next: 0, now: .zero)
    var phase = ShutterPhase(slot: slot)
    var (course, still, index) = (Course(), start, 0)
    for _ in 0..<slots {
      let beginning = clock.deadline
      _ = clock.due(now: beginning)
      course.beginnings.append(beginning)
      var arrivals: [Ticks] = []
      while still <= beginning {
        arrivals.append(still)
        course.waits.append(beginning - still)
        still = still + gap(index)
        index += 1
      }
      phase.note(arrivals)
      let move = phase.move(next: clock.deadline)
      clock.move(by: move)
      course.moves.append(move)
    }
    return course
  }

  @Test(arguments: stride(from: Int64(0), to: 2000, by: 125).map { $0 })
  func aSteadyTimerIsMetWhereverItsStillsComeInASlot(start: Int64) throws {
    let course = try run(slots: 400, from: .milliseconds(start)) { _ in .seconds(2) }
    #expect(course.middle(last: 50) >= .milliseconds(100) && course.middle(last: 50) <= .milliseconds(140))
    #expect(course.moves.suffix(50).allSatisfy { $0 == .zero }, "it does not settle")
  }

  @Test(arguments: 0..<60)
  func noMoveIsLargerThanHalfAPerCentAndBothBudgetsHold(seed: UInt64) throws {
    var dice = SeededGenerator(seed: seed)
    let slot = Ticks.milliseconds(([200, 500, 1000, 2000, 5000] as [Int64]).randomElement(using: &dice) ?? 2000)
    let gap = Int64.random(in: slot.count / 8...slot.count * 3, using: &dice)
    let unsteady: Int64 = [0, gap / 100, gap / 20, gap].randomElement(using: &dice) ?? 0
    var wanders = SeededGenerator(seed: seed + 1000)
    let course = try run(slots: 2000, from: Ticks(gap), slot: slot) { index in
      let pause = index % 97 == 96 ? slot.count * 20 : 0
      return Ticks(max(900, gap + Int64.random(in: -unsteady...unsteady, using: &wanders)) + pause)
    }
    var total: Int64 = 0
    var (highest, lowest, passed) = (total, total, total)
    for move in course.moves {
      #expect(abs(move.count) <= slot.count / 200 && move.count % 90 == 0)
      passed += slot.count
      total += move.count
      (lowest, highest) = (min(lowest, total), max(highest, total))
      // What players lose at most, from wherever they joined.
      #expect(total - lowest <= slot.count + passed / 10_000 + 90)
      #expect(highest - total <= ShutterPhase.datesAhead.count)
    }
    for (first, second) in zip(course.beginnings, course.beginnings.dropFirst()) {
      #expect(abs((second - first - slot).count) <= slot.count / 200)
    }
  }

  @Test(arguments: 0..<20)
  func unsteadyTimersAndLostStillsAreMetToo(seed: UInt64) throws {
    var dice = SeededGenerator(seed: seed)
    let start = Ticks(Int64.random(in: 0..<Self.slot.count, using: &dice))
    // A timer does not drift: only each still by itself comes early or late, and one in ten is lost.
    var (beat, last) = (Int64(0), start)
    let course = try run(slots: 500, from: start) { _ in
      beat += Int.random(in: 0..<10, using: &dice) == 0 ? 2 : 1
      let next = start + Self.slot * beat + .milliseconds(Int64.random(in: -40...40, using: &dice))
      defer { last = next }
      return next - last
    }
    #expect(course.middle(last: 100) <= .milliseconds(200), "\(course.middle(last: 100))")
  }

  @Test(arguments: [-100, -20, 20, 100] as [Int64])
  func theDriftOfACameraIsFollowed(millionths: Int64) throws {
    let gap = Self.slot.count + Self.slot.count * millionths / 1_000_000
    let course = try run(slots: 1800, from: .milliseconds(1500)) { _ in Ticks(gap) }
    #expect(course.middle(last: 300) <= .milliseconds(200), "\(course.middle(last: 300))")
  }

  @Test(arguments: 0..<20)
  func stillsWithoutARhythmHardlyMoveTheClock(seed: UInt64) throws {
    var dice = SeededGenerator(seed: seed)
    let course = try run(slots: 1000, from: .zero) { _ in
      .milliseconds(Int64.random(in: 500...3500, using: &dice))
    }
    #expect(course.moves.reduce(Int64(0)) { $0 + abs($1.count) } <= Ticks.milliseconds(1000).count)
  }

  @Test func aTimerThatFitsNoSlotMovesNothingForLong() throws {
    let course = try run(slots: 2000, from: .zero) { _ in .milliseconds(2150) }
    #expect(course.moves.reduce(Int64(0)) { $0 + abs($1.count) } <= Ticks.seconds(3).count)
  }

  @Test func aCameraThatStopsMovesNothing() throws {
    var phase = ShutterPhase(slot: Self.slot)
    for index in 0..<8 { phase.note([Self.slot * Int64(index) + .milliseconds(500)]) }
    #expect(phase.move(next: Self.slot * 8) != .zero)
    #expect(phase.move(next: Self.slot * 40) == .zero)
  }

  @Test(arguments: 0..<30)
  func datesStayTrueAndNeverComeAgainWhileTheSlotsMove(seed: UInt64) throws {
    var dice = SeededGenerator(seed: seed)
    let drift = Int64.random(in: -200...200, using: &dice)
    let start = Ticks(Int64.random(in: 0..<Self.slot.count, using: &dice))
    let course = try run(slots: 900, from: start) { _ in Ticks(Self.slot.count + Self.slot.count * drift / 1_000_000) }
    let zero = WallTime(milliseconds: 1_790_000_000_000)
    var dates = DateMap(media: .zero, wall: zero)
    var last: WallTime?
    for (index, move) in course.moves.enumerated() {
      if index % 15 == 0 {
        let wall = zero.advanced(by: course.beginnings[index])
        let date = dates.segmentBegins(at: Self.slot * Int64(index), wall: wall)
        #expect(abs(date.milliseconds - wall.milliseconds) <= 251)
        if let last { #expect(date.milliseconds - last.milliseconds >= 30_000) }
        last = date
      }
      dates.slotsMoved(by: move)
    }
  }
}

@Suite struct SendAdviceTests {
  private static let slot = Ticks.seconds(2)

  /// The waits of the stills of a camera that takes the advice.
  ///
  /// - Parameters:
  ///   - extra: how much longer than advised it takes.
  ///   - listens: whether it does.
  private func waits(
    _ count: Int, from start: Ticks, interval: Ticks = .seconds(2), delay: Ticks = .zero, listens: Bool = true,
    extra: () -> Ticks
  ) -> [Ticks] {
    var advice = SendAdvice(interval: interval, slot: Self.slot, delay: delay)
    var arrival = start
    return (0..<count).map { _ in
      let next = Self.slot * ((arrival + delay).floorDivided(by: Self.slot) + 1)
      let advised = advice.next(after: arrival, nextSlot: next)
      defer { arrival = arrival + (listens ? advised : interval) + extra() }
      return next - arrival - delay
    }
  }

  @Test(arguments: stride(from: Int64(0), to: 2000, by: 250).map { $0 }, [0, 60, 300] as [Int64])
  func aCameraThatListensComesJustBeforeItsSlot(start: Int64, extra: Int64) {
    let waits = waits(60, from: .milliseconds(start)) { .milliseconds(extra) }
    for wait in waits.suffix(30) { #expect(wait >= .milliseconds(90) && wait <= .milliseconds(150), "\(wait)") }
  }

  @Test(arguments: 0..<20)
  func anUnsteadyOneDoesToo(seed: UInt64) {
    var dice = SeededGenerator(seed: seed)
    let waits = waits(200, from: .milliseconds(1000)) { .milliseconds(Int64.random(in: 20...100, using: &dice)) }
    let last = waits.suffix(100).sorted()
    #expect(last[50] >= .milliseconds(60) && last[50] <= .milliseconds(180), "\(last[50])")
    #expect(last[95] <= .milliseconds(250), "\(last[95])")
  }

  @Test(arguments: [(500, 500), (1000, 1000), (3000, 1000), (4000, 2000), (2500, 500)] as [(Int64, Int64)])
  func intervalsThatAreNoWholeSlotsKeepToTheirPlaces(interval: Int64, grid: Int64) {
    let waits = waits(200, from: .milliseconds(777), interval: .milliseconds(interval)) { .zero }
    for wait in waits.suffix(50) {
      #expect(abs((wait.milliseconds - 120 + grid * 8 + 20) % grid - 20) <= 10, "\(wait)")
    }
  }

  @Test func stillsThatAreKeptBackComeBeforeTheSlotThatTakesThem() {
    let waits = waits(60, from: .milliseconds(300), delay: .milliseconds(700)) { .zero }
    for wait in waits.suffix(30) { #expect(wait >= .milliseconds(90) && wait <= .milliseconds(150), "\(wait)") }
  }

  @Test(arguments: 0..<50)
  func theAdviceIsNeverFarFromTheInterval(seed: UInt64) {
    var dice = SeededGenerator(seed: seed)
    let interval = Ticks.milliseconds(Int64.random(in: 100...10_000, using: &dice))
    var advice = SendAdvice(
      interval: interval, slot: .milliseconds(Int64.random(in: 200...6000, using: &dice)), delay: .zero)
    var arrival = Ticks.zero
    #expect(advice.next(after: arrival, nextSlot: nil) == interval)
    for _ in 0..<200 {
      arrival = arrival + Ticks(Int64.random(in: 0...3 * interval.count, using: &dice))
      let advised = advice.next(
        after: arrival, nextSlot: Ticks(Int64.random(in: -10_000_000...10_000_000, using: &dice)))
      #expect(advised.count % 90 == 0)
      #expect(advised.count >= interval.count * 3 / 4 - 90 && advised.count <= interval.count * 5 / 4)
    }
  }

  @Test func adviceThatNobodyTakesStaysNearTheInterval() {
    var advice = SendAdvice(interval: .seconds(2), slot: Self.slot, delay: .zero)
    for index in 0..<500 {
      let arrival = Ticks.seconds(2) * Int64(index) + .milliseconds(900)
      let advised = advice.next(after: arrival, nextSlot: .seconds(2) * Int64(index + 1))
      #expect(abs((advised - .seconds(2)).count) <= Ticks.milliseconds(500).count)
    }
  }
}
