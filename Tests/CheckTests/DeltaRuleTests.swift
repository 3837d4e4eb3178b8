import Media
import Playlist
import Testing

@testable import Check

@Suite struct DeltaRuleTests {
  private let full = LiveStream(hasParts: true).version(40)
  private func delta() throws -> MediaPlaylist { try #require(full.delta(skipUntil: .seconds(12))) }

  @Test("A good delta stands for the full playlist")
  func goodDelta() throws {
    let (verdicts, result) = PlaylistHistory.judgeDelta(
      try delta(), previous: LiveStream(hasParts: true).version(39), url: "")
    #expect(verdicts.findings == [])
    #expect(verdicts.judged == [.delta])
    #expect(result?.segments.map(\.uri) == full.segments.map(\.uri))
  }

  @Test("A delta that skips what was never listed cannot be used")
  func skipsUnknown() throws {
    var delta = try delta()
    delta.skipped = 30
    let (verdicts, result) = PlaylistHistory.judgeDelta(delta, previous: full, url: "")
    #expect(verdicts.findings.map(\.rule) == [.delta])
    #expect(result == nil)
  }

  @Test("A delta that skips nearer to the end than it promised is found")
  func skipsTooMuch() throws {
    var delta = try delta()
    delta.segments.removeFirst(2)
    delta.segments[0].map = .init(uri: "init-0.mp4")
    delta.skipped = (delta.skipped ?? 0) + 2
    #expect(PlaylistHistory.judgeDelta(delta, previous: full, url: "").0.findings.map(\.severity) == [.must])
  }

  @Test("A delta without map or date after the skipped segments is found")
  func missesRepetition() throws {
    var delta = try delta()
    delta.segments[0].map = nil
    #expect(PlaylistHistory.judgeDelta(delta, previous: full, url: "").0.findings.count == 1)
    delta.segments[0].programDateTime = nil
    #expect(PlaylistHistory.judgeDelta(delta, previous: full, url: "").0.findings.count == 2)
  }

  @Test("Every other rendition must be reported")
  func renditions() {
    var playlist = full
    playlist.renditionReports = [.init(uri: "../small/live.m3u8")]
    let resolve = { PlaylistAddress.resolve($0, from: "http://h/big/live.m3u8") }
    let others = ["http://h/small/live.m3u8", "http://h/tiny/live.m3u8"]
    let verdicts = PlaylistHistory.judgeReports(playlist, others: others, url: "", resolve: resolve)
    #expect(verdicts.findings.map(\.rule) == [.renditionReport])
    #expect(PlaylistHistory.judgeReports(playlist, others: [], url: "", resolve: resolve).judged == [])
  }
}
