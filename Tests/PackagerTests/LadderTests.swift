import Media
import TestSupport
import Testing

@testable import Packager

@Suite struct LadderTests {
  private let settings = Ladder.Settings(hold: .seconds(30), steady: .seconds(4))

  private func expect(
    _ ladder: inout Ladder, at moment: Ticks, isOn: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let decision = ladder.decide(at: moment)
    #expect(decision == isOn, sourceLocation: sourceLocation)
  }

  @Test func theFirstStillOfACameraIsShownAtOnce() {
    var ladder = Ladder(settings: settings)
    expect(&ladder, at: .zero, isOn: false)
    ladder.stillArrived(at: .seconds(3))
    expect(&ladder, at: .seconds(4), isOn: true)
  }

  @Test func theLastPictureIsHeldForTheGraceTime() {
    var ladder = Ladder(settings: settings)
    ladder.stillArrived(at: .zero)
    expect(&ladder, at: .zero, isOn: true)
    expect(&ladder, at: .milliseconds(29_999), isOn: true)
    expect(&ladder, at: .seconds(30), isOn: false)
  }

  @Test func aCameraThatCameBackIsShownOnceItIsSteady() {
    var ladder = Ladder(settings: settings)
    ladder.stillArrived(at: .zero)
    _ = ladder.decide(at: .zero)
    _ = ladder.decide(at: .seconds(40))
    ladder.stillArrived(at: .seconds(41))
    expect(&ladder, at: .seconds(42), isOn: false)
    ladder.stillArrived(at: .seconds(45))
    expect(&ladder, at: .seconds(46), isOn: true)
  }

  @Test func aCameraSlowerThanItsSettingsIsShownWithItsThirdStill() {
    var ladder = Ladder(settings: settings)
    ladder.stillArrived(at: .zero)
    _ = ladder.decide(at: .zero)
    expect(&ladder, at: .seconds(40), isOn: false)
    for (still, isOn) in [(Int64(50), false), (100, false), (150, true)] {
      ladder.stillArrived(at: .seconds(still))
      expect(&ladder, at: .seconds(still + 1), isOn: isOn)
    }
  }

  @Test func aLadderThatHoldsForEverNeverShowsTheLoopAgain() {
    var ladder = Ladder(settings: .init(hold: nil, steady: .zero))
    ladder.stillArrived(at: .zero)
    expect(&ladder, at: .zero, isOn: true)
    expect(&ladder, at: .seconds(10_000_000), isOn: true)
  }

  @Test func whateverComesTheLadderGoesOffOnlyAfterTheGraceTimeAndOnOnlyWithFreshStills() {
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<200 {
      var ladder = Ladder(settings: settings)
      var now = Ticks.zero
      var newest: Ticks?
      var wasOn = false
      for _ in 0..<300 {
        now = now + .milliseconds(Int64.random(in: 100...20_000, using: &generator))
        if Bool.random(using: &generator) {
          ladder.stillArrived(at: now)
          newest = now
        }
        let isOn = ladder.decide(at: now)
        let isFresh = newest.map { now - $0 < .seconds(30) } ?? false
        #expect(isOn ? isFresh : !wasOn || !isFresh)
        wasOn = isOn
      }
    }
  }
}
