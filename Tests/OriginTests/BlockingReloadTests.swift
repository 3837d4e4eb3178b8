import Media
import Packager
import Testing

@testable import Origin

@Suite struct BlockingReloadTests {
  private let newest = PartPosition(sequence: 100, part: 4)

  private func target(_ query: String, part: Ticks = .seconds(1), segment: Ticks = .seconds(12)) throws -> PartPosition?
  {
    let timeline = try TimelineSettings(rate: 2, part: part, segment: segment)
    return try BlockingReload(query: query[...]).target(newest: newest, timeline: timeline)
  }

  @Test(arguments: ["", "x=1", "_HLS_skip=YES", "_HLS_msn=100&_HLS_part=4", "_HLS_msn=99", "_HLS_msn=3&_HLS_part=7"])
  func whatIsThereIsNotWaitedFor(query: String) throws { #expect(try target(query) == nil) }

  @Test(arguments: [
    ("_HLS_msn=100&_HLS_part=5", 100, 5), ("_HLS_part=6&_HLS_msn=100&a=b", 100, 6), ("_HLS_msn=100", 100, 11),
    ("_HLS_msn=101", 101, 11), ("_HLS_msn=101&_HLS_part=0", 101, 0), ("_HLS_msn=100&_HLS_part=12", 101, 0),
    ("_HLS_msn=100&_HLS_part=999", 101, 0), ("_HLS_msn=102", 102, 11),
  ])
  func aPartThatIsToComeIsWaitedFor(query: String, sequence: Int, part: Int) throws {
    #expect(try target(query) == PartPosition(sequence: sequence, part: part))
  }

  @Test(arguments: [
    "_HLS_part=1", "_HLS_msn=", "_HLS_msn", "_HLS_msn=-1", "_HLS_msn=1.5", "_HLS_msn=x", "_HLS_msn=100&_HLS_part=x",
    "_HLS_msn=9999999999999999999", "_HLS_msn=103", "_HLS_msn=100&_HLS_part=8", "_HLS_msn=101&_HLS_part=11",
    "_HLS_msn=%31",
  ])
  func whatCannotBeIsRefused(query: String) { #expect(throws: BlockingReload.Refusal.self) { try target(query) } }

  @Test func aDeltaIsTakenOnlyWhereItIsAskedFor() throws {
    #expect(try BlockingReload(query: "_HLS_msn=1&_HLS_skip=YES").takesDelta)
    #expect(try BlockingReload(query: "_HLS_skip=v2").takesDelta)
    #expect(try !BlockingReload(query: "_HLS_skip=NO").takesDelta)
    #expect(try !BlockingReload(query: "_HLS_skip").takesDelta)
    #expect(try BlockingReload(query: "x=y").isEmpty)
  }

  @Test func threeSecondsOfPartsMayBeAskedForAheadWherePartsAreShort() throws {
    let short = Ticks.milliseconds(500)
    #expect(try target("_HLS_msn=100&_HLS_part=10", part: short) == PartPosition(sequence: 100, part: 10))
    #expect(throws: BlockingReload.Refusal.self) { try target("_HLS_msn=100&_HLS_part=11", part: short) }
  }
}
