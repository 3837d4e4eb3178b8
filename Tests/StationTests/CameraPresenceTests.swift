import Media
import Station
import TestSupport
import Testing

@testable import Packager

@Suite struct CameraPresenceTests {
  private let settings = CameraPresence.Settings(hold: .seconds(30), steady: .seconds(4))

  private func expect(
    _ presence: inout CameraPresence, at moment: Ticks, isOn: Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let decision = presence.decide(at: moment)
    #expect(decision == isOn, sourceLocation: sourceLocation)
  }

  @Test func theFirstStillOfACameraIsShownAtOnce() {
    var presence = CameraPresence(settings: settings)
    expect(&presence, at: .zero, isOn: false)
    presence.stillArrived(at: .seconds(3))
    expect(&presence, at: .seconds(4), isOn: true)
  }

  @Test func theLastPictureIsHeldForTheGraceTime() {
    var presence = CameraPresence(settings: settings)
    presence.stillArrived(at: .zero)
    expect(&presence, at: .zero, isOn: true)
    expect(&presence, at: .milliseconds(29_999), isOn: true)
    expect(&presence, at: .seconds(30), isOn: false)
  }

  @Test func aCameraThatCameBackIsShownOnceItIsSteady() {
    var presence = CameraPresence(settings: settings)
    presence.stillArrived(at: .zero)
    _ = presence.decide(at: .zero)
    _ = presence.decide(at: .seconds(40))
    presence.stillArrived(at: .seconds(41))
    expect(&presence, at: .seconds(42), isOn: false)
    presence.stillArrived(at: .seconds(45))
    expect(&presence, at: .seconds(46), isOn: true)
  }

  @Test func aCameraSlowerThanItsSettingsIsShownWithItsThirdStill() {
    var presence = CameraPresence(settings: settings)
    presence.stillArrived(at: .zero)
    _ = presence.decide(at: .zero)
    expect(&presence, at: .seconds(40), isOn: false)
    for (still, isOn) in [(Int64(50), false), (100, false), (150, true)] {
      presence.stillArrived(at: .seconds(still))
      expect(&presence, at: .seconds(still + 1), isOn: isOn)
    }
  }

  @Test func aPresenceThatHoldsForEverNeverShowsTheLoopAgain() {
    var presence = CameraPresence(settings: .init(hold: nil, steady: .zero))
    presence.stillArrived(at: .zero)
    expect(&presence, at: .zero, isOn: true)
    expect(&presence, at: .seconds(10_000_000), isOn: true)
  }

  @Test func whateverComesThePresenceGoesOffOnlyAfterTheGraceTimeAndOnOnlyWithFreshStills() {
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<200 {
      var presence = CameraPresence(settings: settings)
      var now = Ticks.zero
      var newest: Ticks?
      var wasOn = false
      for _ in 0..<300 {
        now = now + .milliseconds(Int64.random(in: 100...20_000, using: &generator))
        if Bool.random(using: &generator) {
          presence.stillArrived(at: now)
          newest = now
        }
        let isOn = presence.decide(at: now)
        let isFresh = newest.map { now - $0 < .seconds(30) } ?? false
        #expect(isOn ? isFresh : !wasOn || !isFresh)
        wasOn = isOn
      }
    }
  }
}
