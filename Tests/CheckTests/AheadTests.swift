import Media
import Playlist
import Testing

@testable import Check

/// A server that knows what comes, as of a recording, may publish a segment's parts at once for those who follow with
/// blocking reloads; others get each version when its time comes.
@Suite struct AheadTests {
  private let stream = LiveStream(hasParts: true)

  /// Each segment is published whole to directed requests when it begins; plain ones see part after part.
  private func check(_ steps: Int, plain: (Int) -> Int = { $0 }) -> [Finding] {
    var history = PlaylistHistory(url: "u")
    var findings = history.take(stream.version(0), asked: .zero, arrived: .zero).findings
    for step in 0..<steps {
      let asked = stream.step * Int64(step)
      if step % 4 == 0 {
        findings +=
          history.take(
            stream.version(step + 3), asked: asked, arrived: asked + .milliseconds(50), isDirected: true
          ).findings
      }
      let later = asked + .milliseconds(100)
      findings += history.take(stream.version(plain(step)), asked: later, arrived: later + .milliseconds(50)).findings
    }
    return findings
  }

  @Test("What is published ahead breaks no rule")
  func ahead() { #expect(check(60) == []) }

  @Test("The part after those that were published ahead is due when they have played")
  func lateAfterwards() {
    func findings(asked: Ticks) -> [Rule] {
      var history = PlaylistHistory(url: "u")
      _ = history.take(stream.version(3), asked: .zero, arrived: .zero, isDirected: true)
      _ = history.take(stream.version(7), asked: .seconds(1), arrived: .seconds(1), isDirected: true)
      return history.take(stream.version(7), asked: asked, arrived: asked).findings.map(\.rule)
    }
    #expect(findings(asked: .milliseconds(3200)) == [])
    #expect(findings(asked: .milliseconds(3400)) == [.pace])
  }

  @Test("Plain answers must not go back behind plain answers")
  func plainGoesBack() {
    #expect(check(40) { $0 == 30 ? 25 : $0 }.map(\.rule).first == .mediaSequence)
  }

  @Test("An earlier version that says something else is found")
  func contradiction() {
    var history = PlaylistHistory(url: "u")
    _ = history.take(stream.version(11), asked: .seconds(1), arrived: .seconds(1), isDirected: true)
    var early = stream.version(9)
    early.trailingParts[0].uri = "other.mp4"
    let found = history.take(early, asked: .milliseconds(1200), arrived: .milliseconds(1200)).findings
    #expect(found.map(\.rule) == [.appending])
  }

  @Test("A directed answer must not go back")
  func directedGoesBack() {
    var history = PlaylistHistory(url: "u")
    _ = history.take(stream.version(15), asked: .seconds(1), arrived: .seconds(1), isDirected: true)
    let found = history.take(stream.version(9), asked: .seconds(2), arrived: .seconds(2), isDirected: true).findings
    #expect(!found.isEmpty)
  }

  @Test("A loop comes again under its names behind a discontinuity, and not without one")
  func namesThatComeAgain() {
    func findings(breaks: Set<Int>) -> [Rule] {
      LiveStream(breaks: breaks).check(48) { _, playlist in
        for index in playlist.segments.indices where (30..<34).contains(playlist.mediaSequence + index) {
          playlist.segments[index].uri = "loop-\((playlist.mediaSequence + index) % 2).mp4"
        }
      }.map(\.rule)
    }
    #expect(findings(breaks: [30, 32, 34]) == [])
    #expect(Set(findings(breaks: [])) == [.mediaCaching])
  }

  @Test("Tags that come after the parts of the segment that they are for are found")
  func order() {
    func rules(_ lines: String) -> [Rule] {
      let text = """
        #EXTM3U
        #EXT-X-VERSION:9
        #EXT-X-TARGETDURATION:2
        #EXT-X-PART-INF:PART-TARGET=1
        #EXT-X-DISCONTINUITY-SEQUENCE:0
        #EXT-X-MAP:URI="a.mp4"
        #EXTINF:2,
        a.mp4
        \(lines)
        #EXTINF:2,
        b.mp4

        """
      return PlaylistReading(Array(text.utf8), url: "u").verdicts.findings.map(\.rule)
    }
    let part = "#EXT-X-PART:DURATION=1,URI=\"p.mp4\""
    let (map, mark) = ("#EXT-X-MAP:URI=\"b.mp4\"", "#EXT-X-DISCONTINUITY")
    #expect(!rules([mark, map, part, part].joined(separator: "\n")).contains(.splice))
    #expect(rules([mark, part, map, part].joined(separator: "\n")).contains(.splice))
    #expect(rules([part, mark, map, part].joined(separator: "\n")).contains(.splice))
  }
}
