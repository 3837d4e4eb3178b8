import Media
import Station
import TestSupport
import Testing

@testable import Packager

@Suite struct SlotClockTests {
  let timeline: TimelineSettings

  init() throws { timeline = try TimelineSettings(part: .seconds(1)) }

  @Test func aSlotIsDueWhenItBegins() {
    var clock = SlotClock(settings: timeline, next: 72, now: .seconds(100))
    #expect(clock.deadline == .seconds(100))
    #expect(clock.due(now: Ticks.seconds(100) - Ticks(1)).isEmpty)
    #expect(clock.due(now: .seconds(100)) == 72..<73)
    #expect(clock.deadline == .seconds(101))
    #expect(clock.due(now: .seconds(100)).isEmpty)
  }

  @Test func slotsThatWereMissedWithinASegmentAreAllMade() {
    var clock = SlotClock(settings: timeline, next: 0, now: .zero)
    #expect(clock.due(now: .milliseconds(5_300)) == 0..<6)
    #expect(clock.deadline == .seconds(6))
  }

  @Test func timeThatAProcessStoodStillIsLeftOut() {
    var clock = SlotClock(settings: timeline, next: 0, now: .zero)
    _ = clock.due(now: .zero)
    #expect(clock.due(now: .seconds(3600)) == 1..<2)
    #expect(clock.deadline == .seconds(3601))
  }

  @Test func aClockThatRunsBackMakesNothingDue() {
    var clock = SlotClock(settings: timeline, next: 5, now: .seconds(50))
    _ = clock.due(now: .seconds(50))
    #expect(clock.due(now: .seconds(10)).isEmpty)
    #expect(clock.due(now: .seconds(51)) == 6..<7)
  }

  @Test(arguments: 0..<50)
  func everySlotIsMadeOnceAndInOrderHoweverTheOwnerWakes(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var clock = SlotClock(settings: timeline, next: 10, now: .zero)
    var now = Ticks.zero
    var expected: Int64 = 10
    for _ in 0..<400 {
      // Mostly punctual, sometimes late, seldom asleep for a minute, once in a while the clock jumps back.
      now = now + Ticks(Int64.random(in: -10_000...180_000, using: &generator))
      if Int.random(in: 0..<40, using: &generator) == 0 { now = now + .seconds(60) }
      let slots = clock.due(now: now)
      #expect(slots.lowerBound == expected)
      #expect(slots.count <= timeline.partsPerSegment + 1)
      expected = slots.upperBound
      #expect(clock.next == expected)
      #expect(clock.deadline > now || slots.isEmpty)
    }
  }
}
