import Media
import NIOCore
import Testing

@testable import Bench

@Suite struct NewestPartTests {
  private func playlist(_ lines: String) -> ByteBuffer {
    ByteBuffer(
      string: """
        #EXTM3U
        #EXT-X-TARGETDURATION:4
        #EXT-X-PART-INF:PART-TARGET=2
        #EXT-X-MEDIA-SEQUENCE:6
        \(lines)

        """)
  }

  @Test func aPartOfTheOpenSegmentIsDatedByItsSegment() throws {
    let part = try #require(
      NewestPart(
        playlist(
          """
          #EXT-X-PROGRAM-DATE-TIME:2026-11-30T01:53:00.825Z
          #EXTINF:4,
          6.mp4
          #EXT-X-PROGRAM-DATE-TIME:2026-11-30T01:53:04.825Z
          #EXT-X-PART:DURATION=2,URI="7.0.mp4",INDEPENDENT=YES
          #EXT-X-PART:DURATION=1.5,URI="7.1.mp4"
          #EXT-X-PRELOAD-HINT:TYPE=PART,URI="7.2.mp4"
          """)))
    #expect((part.sequence, part.index) == (7, 1))
    #expect(part.date.iso8601 == "2026-11-30T01:53:06.825Z")
    #expect(part.length == .milliseconds(1500))
    #expect(part.address == "7.1.mp4")
    #expect(part.reload == "_HLS_msn=7&_HLS_part=2&_HLS_skip=YES")
  }

  @Test func theLastPartOfASegmentThatIsComplete() throws {
    let part = try #require(
      NewestPart(
        playlist(
          """
          #EXT-X-SKIP:SKIPPED-SEGMENTS=3
          #EXT-X-PROGRAM-DATE-TIME:2026-11-30T01:53:04.825Z
          #EXT-X-PART:DURATION=2,URI="9.0.mp4",INDEPENDENT=YES
          #EXT-X-PART:DURATION=2,URI="9.1.mp4"
          #EXTINF:4,
          9.mp4
          #EXT-X-PRELOAD-HINT:TYPE=PART,URI="10.0.mp4"
          """)))
    #expect((part.sequence, part.index) == (9, 1))
    #expect(part.date.iso8601 == "2026-11-30T01:53:06.825Z")
  }

  @Test func aPlaylistWithoutPartsOrDatesHasNone() {
    #expect(NewestPart(playlist("#EXTINF:4,\n6.mp4")) == nil)
    #expect(NewestPart(playlist("#EXT-X-PART:DURATION=2,URI=\"9.0.mp4\"")) == nil)
    #expect(NewestPart(ByteBuffer(string: "no playlist")) == nil)
  }
}

@Suite struct PartLatenessTests {
  private func latenesses(_ offsets: [Int64], isSameClock: Bool = true, index: Int = 0) -> [Int64] {
    var lateness = PartLateness(isSameClock: isSameClock)
    return offsets.enumerated().map { number, offset in
      let date = WallTime(milliseconds: Int64(number) * 2000)
      let seen = WallTime(milliseconds: date.milliseconds + offset)
      return lateness.note(date, seen: seen, index: index, length: .seconds(2)).milliseconds
    }
  }

  @Test func aPartIsAsLateAsItComesAfterItsDate() {
    #expect(latenesses([10, 30, 900, 10]) == [10, 30, 900, 10])
  }

  @Test func datesThatAreAheadAreNotTakenForParts() {
    #expect(latenesses([-200, -190, 100, -200]) == [0, 10, 300, 0])
  }

  @Test func aPartThatIsMadeInAdvanceSaysNothingOfThoseAfterIt() {
    #expect(latenesses([-1400, 10, 30, 500]) == [0, 10, 30, 500])
  }

  @Test func slotsThatMoveLaterWithinASegmentAreNotTakenForLateParts() {
    // Ten parts after the segment began, they can have moved by a tenth of a second.
    #expect(latenesses([90, 95, 400, 100], index: 10) == [0, 5, 310, 10])
    #expect(latenesses([500, 500, 500], index: 10) == [400, 400, 400])
  }

  @Test func onAnotherClockTheEarliestIsNotLate() {
    #expect(latenesses([5010, 5030, 5900], isSameClock: false) == [0, 20, 890])
  }
}

@Suite struct FleetPlanTests {
  private let plan = FleetPlan(
    count: 100, every: .seconds(2), stills: (0..<5).map { ByteBuffer(string: "\($0)") })

  @Test func camerasAreSpreadOverTheInterval() {
    let phases = (0..<100).map { plan.due(0, of: $0) }
    for tenth in 0..<10 {
      let from = Ticks.milliseconds(200) * Int64(tenth)
      #expect((7...13).contains(phases.count { $0 >= from && $0 < from + .milliseconds(200) }))
    }
    #expect(phases.allSatisfy { $0 < .milliseconds(2030) })
  }

  @Test func stillsComeInTheirInterval() {
    for number in 1..<50 {
      let step = plan.due(number, of: 7) - plan.due(number - 1, of: 7)
      #expect(abs(step.milliseconds - 2000) <= 31)
    }
  }

  @Test func picturesNeverJump() {
    for camera in 0..<20 {
      let shown = (0..<40).map { plan.still($0, of: camera) }
      #expect(zip(shown, shown.dropFirst()).allSatisfy { abs($0 - $1) == 1 })
      #expect(Set(shown) == Set(0..<5))
    }
  }
}

@Suite struct FleetSearchTests {
  @Test(arguments: [1, 7, 20, 63, 300, 1999], [1, 10, 200])
  func itFindsTheMostToATenth(_ most: Int, first: Int) throws {
    var search = FleetSearch(first: first)
    var tried = 0
    var best = 0
    while let count = search.next {
      search.note(count, isCarried: count <= most)
      if count <= most { best = max(best, count) }
      tried += 1
      try #require(tried < 30)
    }
    #expect(best <= most && best * 11 >= most * 10 - 10)
  }

  @Test func aMachineThatCarriesNoneIsTold() {
    var search = FleetSearch(first: 4)
    while let count = search.next { search.note(count, isCarried: false) }
    #expect(search.next == nil)
  }
}
