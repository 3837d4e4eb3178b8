import Media
import Packager
import TestSupport
import Testing

@testable import Station

@Suite struct StillRhythmTests {
  private let step = Ticks.milliseconds(500)

  /// The rhythm of a camera that sends each 2.15 s, so that its stills come at all times of a slot.
  private func steady(_ count: Int) -> (rhythm: StillRhythm, last: Ticks) {
    var rhythm = StillRhythm()
    for index in 0..<count {
      let arrival = Ticks.milliseconds(2150 * Int64(index))
      rhythm.note([arrival], collectedFrom: Ticks.seconds(arrival.floorDivided(by: .seconds(1))))
    }
    return (rhythm, .milliseconds(2150 * Int64(count - 1)))
  }

  @Test func recordedPicturesFollowEachOtherAsTheCamerasStillsDo() {
    var (rhythm, last) = steady(64)
    for index in 1...50 {
      // The recording shows a picture in each slot in which the camera would have sent one.
      let slot = Ticks.seconds((last + .milliseconds(2150)).floorDivided(by: .seconds(1)))
      let time = rhythm.arrivals(at: [0], collectedFrom: slot, step: step, count: 2)[0]
      #expect(time - last == .milliseconds(2150), "picture \(index)")
      rhythm.report(time)
      last = time
    }
  }

  @Test func arrivalsFitTheStepsAtWhichTheirPicturesShow() {
    for steps in [[0], [1], [0, 1], [0, 3], [0, 1, 2, 3], [1, 3]] {
      var (rhythm, last) = steady(10)
      var slot = Ticks.seconds(last.floorDivided(by: .seconds(1)) + 1)
      for _ in 0..<100 {
        let times = rhythm.arrivals(at: steps, collectedFrom: slot, step: step, count: 4)
        #expect(times == times.sorted())
        #expect(times.allSatisfy { $0 >= slot && $0 < slot + step * 4 })
        let shown = SlotPictures.arrange(arrivals: times, collectedFrom: slot, step: step, count: 4)
        #expect(shown.indices.filter { shown[$0] != nil } == steps.map { $0 - steps[0] })
        for time in times { rhythm.report(time) }
        slot = slot + step * 4
        last = times[0]
      }
    }
  }

  @Test func whereNothingIsKnownOfTheCameraAnyTimeOfTheSlotWillDo() {
    let rhythm = StillRhythm()
    let times = rhythm.arrivals(at: [0, 1], collectedFrom: .seconds(3), step: step, count: 2)
    #expect(times.count == 2 && times[0] >= .seconds(3) && times[0] < times[1] && times[1] < .seconds(4))
    #expect(rhythm.arrivals(at: [], collectedFrom: .seconds(4), step: step, count: 2).isEmpty)
  }

  @Test func aHiddenStillIsLearntFromAndNotFollowed() {
    var (rhythm, last) = steady(10)
    #expect(rhythm.isInStep(at: last))
    last = last + .milliseconds(2250)
    rhythm.note([last], collectedFrom: last, isReported: false)
    #expect(!rhythm.isInStep(at: last))
    rhythm.report(last - .milliseconds(1))
    #expect(rhythm.isInStep(at: last), "the next one comes in a usual interval in any case")
    // One interval that was longer makes none between it and the others usual.
    rhythm.report(last - .milliseconds(12))
    #expect(!rhythm.isInStep(at: last))
  }

  @Test func knownTimesAreToldAsTheyAreInsideTheirSlot() {
    let (rhythm, last) = steady(64)
    let slot = last + .seconds(5)
    #expect(
      rhythm.arrivals(at: [0], known: [slot + .milliseconds(123)], collectedFrom: slot, step: step, count: 2)
        == [slot + .milliseconds(123)], "whatever the interval is")
    #expect(
      rhythm.arrivals(at: [0], known: [slot - .milliseconds(9)], collectedFrom: slot, step: step, count: 2) == [slot])
  }

  @Test func aCameraIsSilentAfterClearlyMoreThanItsLongestInterval() {
    let (rhythm, last) = steady(10)
    #expect(!rhythm.isSilent(at: last + .milliseconds(2600)))
    #expect(rhythm.isSilent(at: last + .milliseconds(2700)))
    #expect(rhythm.isInStep(at: last + .milliseconds(2700)), "after a silence any still is in step")
    #expect(!StillRhythm().isSilent(at: last), "nothing is known yet")
    var held = StillRhythm(hold: .seconds(20))
    for second in [0, 2, 4, 6, 8, 40, 42] as [Int64] { held.note([.seconds(second)], collectedFrom: .seconds(second)) }
    #expect(held.range == .seconds(2)...(.seconds(2)), "that it was off is no interval of its own")
  }

  /// A camera of irregular stills: an interval of 2 s to 2.3 s, known from 50 of them.
  private func irregular() -> (rhythm: StillRhythm, last: Ticks) {
    var (rhythm, last) = (StillRhythm(), Ticks.zero)
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<50 {
      last = last + .milliseconds(Int64.random(in: 2000...2300, using: &generator))
      rhythm.note([last], collectedFrom: last - .milliseconds(500))
    }
    return (rhythm, last)
  }

  @Test func betweenTheUsualIntervalsAndARareOneThereAreOthersThatNeverCome() {
    var (rhythm, last) = irregular()
    last = last + .milliseconds(4300)
    rhythm.note([last], collectedFrom: last)
    for interval in [2000, 2150, 2290, 4300] as [Int64] {
      #expect(rhythm.isNatural(last + .milliseconds(interval)), "\(interval)")
    }
    for interval in [1900, 2500, 3000, 4200, 4400] as [Int64] {
      #expect(!rhythm.isNatural(last + .milliseconds(interval)), "\(interval)")
    }
  }

  @Test func coversComeWithTheirStillsWhereTheseAreInStep() {
    let (before, last) = irregular()
    for gap in [2100, 2200] as [Int64] {
      var rhythm = before
      let still = last + .milliseconds(gap)
      #expect(rhythm.covers(of: [], collectedFrom: last + .seconds(1), end: last + .seconds(2)).isEmpty)
      rhythm.note([still], collectedFrom: last + .seconds(2), isReported: false)
      #expect(rhythm.covers(of: [still], collectedFrom: last + .seconds(2), end: last + .seconds(3)) == [still])
    }
  }

  /// What was told is up to a whole interval apart from the camera's stills, and comes into step with them.
  @Test(arguments: stride(from: -1000, through: 1000, by: 250).map { Int64($0) })
  func coversComeIntoStepInIntervalsThatTheCameraHas(apart: Int64) {
    var (rhythm, still) = irregular()
    var generator = SeededGenerator(seed: 6)
    var told = still + .milliseconds(apart)
    rhythm.report(told)
    let range = Ticks.milliseconds(2000)...Ticks.milliseconds(2300)
    var slot = Ticks.seconds(still.floorDivided(by: .seconds(1)) + 1)
    var next = still + .milliseconds(Int64.random(in: 2000...2300, using: &generator))
    var inStep = 0
    for _ in 0..<200 where inStep < 3 {
      var stills: [Ticks] = []
      while next < slot + .seconds(1) {
        stills.append(next)
        still = next
        next = next + .milliseconds(Int64.random(in: 2000...2300, using: &generator))
      }
      rhythm.note(stills, collectedFrom: slot, isReported: false)
      for time in rhythm.covers(of: stills, collectedFrom: slot, end: slot + .seconds(1)) {
        #expect(time >= slot && time < slot + .seconds(1))
        #expect(range ~= time - told || stills.contains(time), "\(time - told)")
        inStep = stills.contains(time) ? inStep + 1 : 0
        told = time
        rhythm.report(time)
      }
      slot = slot + .seconds(1)
    }
    #expect(inStep == 3)
  }

  @Test func aCameraThatHasStoppedIsNotCovered() {
    var (rhythm, last) = irregular()
    rhythm.report(last + .milliseconds(700))
    last = last + .seconds(3)
    for _ in 0..<20 {
      #expect(rhythm.covers(of: [], collectedFrom: last, end: last + .seconds(1)).isEmpty)
      last = last + .seconds(1)
    }
  }

  @Test func beforeASegmentTheNextReportsAreExpected() {
    let (rhythm, last) = steady(10)
    #expect(rhythm.expected(before: last + .milliseconds(2150)).reported == last)
    #expect(rhythm.expected(before: last + .milliseconds(2151)).reported == last + .milliseconds(2150))
  }
}
