import Media
import Packager
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
    #expect(rhythm.isInStep)
    rhythm.note([last + .milliseconds(2150)], collectedFrom: last, isReported: false)
    #expect(!rhythm.isInStep)
    rhythm.note([last + .milliseconds(4300)], collectedFrom: last, isReported: true)
    #expect(rhythm.isInStep)
    let slot = Ticks.seconds((last + .milliseconds(6450)).floorDivided(by: .seconds(1)))
    let told = rhythm.arrivals(at: [0], collectedFrom: slot, step: step, count: 2)
    #expect(told == [last + .milliseconds(6450)])
    rhythm.report(told[0])
    #expect(!rhythm.isInStep)
  }

  @Test func whatARecordingKnowsOfItsTimesIsToldShiftedAsItBegan() {
    var (rhythm, last) = steady(64)
    var recorded = last - .milliseconds(300)
    rhythm.note([last + .milliseconds(2100), last + .milliseconds(4400)], collectedFrom: last)
    last = last + .milliseconds(4400)
    rhythm.report(last, recorded: recorded + .milliseconds(4400))
    recorded = recorded + .milliseconds(4400)
    for _ in 0..<200 {
      recorded = recorded + .milliseconds(2150)
      let slot = Ticks.seconds((recorded).floorDivided(by: .seconds(1)))
      let time = rhythm.arrivals(at: [0], recorded: [recorded], collectedFrom: slot, step: step, count: 2)[0]
      #expect(time >= slot && time < slot + .seconds(1))
      #expect(time - last >= .milliseconds(1900) && time - last <= .milliseconds(2400))
      rhythm.report(time, recorded: recorded)
      last = time
    }
    #expect(last >= recorded && last - recorded <= .milliseconds(300))
  }

  @Test func theNextStillIsExpectedInTheCamerasRhythm() {
    var (rhythm, last) = steady(10)
    #expect(StillRhythm().expected(from: .zero) == nil, "nothing is known yet")
    #expect(rhythm.expected(from: last - .seconds(1)) == last)
    #expect(rhythm.expected(from: last) == last)
    #expect(rhythm.expected(from: last + Ticks(1)) == last + .milliseconds(2150))
    #expect(rhythm.expected(from: last + .milliseconds(2150)) == last + .milliseconds(2150))
    #expect(rhythm.expected(from: last + .milliseconds(2151)) == last + .milliseconds(4300))
    rhythm.report(last + .milliseconds(100))
    #expect(rhythm.expected(from: last + .milliseconds(101)) == last + .milliseconds(2250))
  }

  @Test func aRecordingFitsWhereItsStillsCameAlike() {
    func fit(_ since: [Int64?], _ expected: Int64) -> LoopFit {
      LoopFit(since.map { $0.map { .milliseconds($0) } }, expected: .milliseconds(expected), slack: .milliseconds(30))
    }
    #expect(fit([900, nil, 480, 100, 500, 541], 490).places == [2, 4])
    #expect(fit([900, nil, 480, 100, 500, 541], 490).isClose)
    #expect(fit([950, nil, 100], 490).places == [2])
    #expect(!fit([950, nil, 100], 490).isClose)
    #expect(fit([nil, nil], 490).places.isEmpty && !fit([nil, nil], 490).isClose)
    #expect(fit([], 490).places.isEmpty)
    // What has been shown does not come again.
    let again = fit([100, 0, 102, 0, 98], 100)
    #expect((0..<6).map { again.place(notBefore: $0) } == [0, 2, 2, 4, 4, nil])
  }

  @Test func whatCannotFollowInTheCamerasRhythmIsKnown() {
    let (rhythm, last) = steady(10)
    #expect(rhythm.canFollow(last, in: last + .seconds(2)..<last + .seconds(3)))
    #expect(!rhythm.canFollow(last, in: last + .seconds(1)..<last + .seconds(2)))
    #expect(StillRhythm().canFollow(last, in: last..<last + .seconds(1)), "nothing is known yet")
  }
}
