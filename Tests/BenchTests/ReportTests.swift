import Foundation
import Testing

@testable import Bench

/// How figures are shown.
struct ReportTests {
  private var result: BandwidthResult {
    let entries = Way.allCases.enumerated().map { index, way in
      var entry = BandwidthResult.Entry(way)
      guard way != .offCached else {
        entry.problem = "not <here> & \"now\""
        return entry
      }
      var bytes = WireBytes()
      (bytes.media, bytes.playlists, bytes.headers, bytes.requests) = (900_000 / (index + 1), 1000, 2000, 3000)
      entry.perMinute = bytes
      entry.join = bytes
      entry.playerBytes = way.needsPlayer ? 160_000 : 0
      entry.conclude(polling: 906_000)
      (entry.ssimToStill, entry.ssimToScene, entry.latency, entry.shown) = (0.97, 0.96, 1.5, 60)
      return entry
    }
    return BandwidthResult(
      source: "a <folder>", stills: 60, stillBytes: 29_000, every: 2, seconds: 120, pushed: 60, transport: "HTTP/1.1",
      settings: "", ssimOfStills: 0.964, part: 1, segment: 12, warning: nil, entries: entries,
      checks: [BandwidthResult.Check(way: .polling, counted: 1001, kernel: 1000)])
  }

  @Test func theTableNamesEveryWay() {
    let table = "\(ResultTable(result))"
    for way in Way.allCases { #expect(table.contains(way.title)) }
    #expect(table.contains("100.0 %"))
    #expect(table.contains("0.100 % apart"))
    #expect(!table.contains("VMAF"))
    var judged = result
    judged.entries[0].vmaf = 91.23
    #expect("\(ResultTable(judged))".contains("91.2"))
  }

  @Test func thePageNamesEveryWayAndNeedsNothingFromElsewhere() {
    let html = HTMLReport(result).html
    for way in Way.allCases { #expect(html.contains(Chart.escape(way.title))) }
    #expect(html.contains("a &lt;folder&gt;") && !html.contains("<folder>"))
    for outside in ["http:", "https:", "src=", "@import", "<script"] { #expect(!html.contains(outside)) }
    #expect(html.components(separatedBy: "<svg").count == 5)
  }

  @Test func whatFollowsFromBytesIsWorkedOut() throws {
    let entry = try #require(result.entries.first)
    #expect(entry.ofPolling == 1)
    #expect(entry.monthGB == 906_000 * 100 * 43_200 / 1e9)
    let visit = 906_000 + 906_000 * 55.0 / 60
    #expect(abs(try #require(entry.visitorsGB) - visit * 9000 / 1e9) < 1e-9)
  }

  @Test func figuresSurviveJSON() throws {
    let data = try JSONEncoder().encode(result)
    let back = try JSONDecoder().decode(BandwidthResult.self, from: data)
    #expect(back.entries.map(\.way) == Way.allCases)
    #expect(back.entries.map(\.perMinute) == result.entries.map(\.perMinute))
  }
}
