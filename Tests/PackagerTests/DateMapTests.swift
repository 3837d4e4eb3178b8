import Media
import TestSupport
import Testing

@testable import Packager

@Suite struct DateMapTests {
  private let noon = WallTime(milliseconds: 1_800_000_000_000)

  @Test func mediaTimeAndDatesGoTogether() {
    let map = DateMap(media: .seconds(72), wall: noon)
    #expect(map.date(of: .seconds(72)) == noon)
    #expect(map.date(of: .seconds(60)).milliseconds == noon.milliseconds - 12_000)
  }

  @Test func aClockThatGoesAheadIsFollowed() {
    var map = DateMap(media: .zero, wall: noon)
    let later = WallTime(milliseconds: noon.milliseconds + 15_000)
    #expect(map.segmentBegins(at: .seconds(12), wall: later) == later)
    #expect(map.date(of: .seconds(13)).milliseconds == later.milliseconds + 1000)
  }

  @Test func aSmallDifferenceChangesNothing() {
    var map = DateMap(media: .zero, wall: noon)
    let later = WallTime(milliseconds: noon.milliseconds + 12_200)
    #expect(map.segmentBegins(at: .seconds(12), wall: later).milliseconds == noon.milliseconds + 12_000)
  }

  @Test(arguments: 0..<50) func noDateEverComesAgain(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var map = DateMap(media: .zero, wall: noon)
    var wall = noon
    var lastEnd = Int64.min
    for segment in 0..<300 {
      wall.milliseconds += 12_000 + Int64.random(in: -40...40, using: &generator)
      if Int.random(in: 0..<20, using: &generator) == 0 {
        wall.milliseconds += Int64.random(in: -7_200_000...7_200_000, using: &generator)
      }
      let media = Ticks.seconds(12 * Int64(segment + 1))
      let start = map.segmentBegins(at: media, wall: wall).milliseconds
      #expect(start >= lastEnd)
      lastEnd = start + 12_000
      #expect(map.date(of: media + .seconds(12)).milliseconds == lastEnd)
    }
  }

  /// Whatever the clock does and however slots are moved: what is later goes into the dates, and no date comes again.
  @Test func movedSlotsAndAClockThatStepsBringNoDateAgain() {
    for number in DamagedSamples.numbers(50) {
      var random = SeededGenerator(seed: UInt64(number) + 1000)
      var map = DateMap(media: .seconds(6), wall: noon)
      let same = map
      #expect(map == same && map.hashValue == same.hashValue)
      var wall = noon
      var (media, lastEnd) = (Ticks.seconds(6), Int64.min)
      for segment in 0..<200 {
        let length = Ticks.seconds(Int64.random(in: 1...12, using: &random))
        let before = map.date(of: media)
        if Int.random(in: 0..<4, using: &random) == 0 {
          let shift = Ticks.milliseconds(Int64.random(in: -900...900, using: &random))
          map.slotsMoved(by: shift)
          wall = wall.advanced(by: shift)
          #expect(map.date(of: media) == before, "the dates of a segment that has begun stay")
        }
        switch Int.random(in: 0..<12, using: &random) {
        case 0: wall.milliseconds += Int64.random(in: -100_000_000_000...7_200_000, using: &random)
        case 1: wall.milliseconds = Int64.random(in: 0...253_402_300_799_999, using: &random)
        default: break
        }
        let start = map.segmentBegins(at: media, wall: wall)
        #expect(start.milliseconds >= lastEnd, "sample \(number), segment \(segment)")
        #expect(start.milliseconds >= wall.milliseconds - 250, "sample \(number), segment \(segment)")
        #expect(map.date(of: media) == start)
        media = media + length
        wall = wall.advanced(by: length)
        lastEnd = map.date(of: media).milliseconds
      }
    }
  }
}
