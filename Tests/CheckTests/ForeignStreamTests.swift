import Media
import NIOCore
import Playlist
import TestSupport
import Testing

@testable import Check

/// `quietcam check` looks at streams of any server: whatever their playlists say, it ends with findings.
@Suite struct ForeignStreamTests {
  private static let damage = Mutation(
    tokens: [
      "\n", "#EXT-X-DISCONTINUITY\n", "#EXT-X-ENDLIST\n", "#EXT-X-GAP\n", "#EXTINF:1,\na.mp4\n",
      "#EXT-X-SKIP:SKIPPED-SEGMENTS=2305843009213693951\n", "#EXT-X-MEDIA-SEQUENCE:2305843009213693951\n",
      "#EXT-X-TARGETDURATION:100000000\n", "#EXTINF:100000000,\nb.mp4\n", "#EXT-X-MAP:URI=\"i\"\n", ",", ":", "0", "9",
    ].map { Array($0.utf8) }, front: 300)

  private func damaged(_ text: ByteBuffer, using random: inout SeededGenerator) -> ByteBuffer {
    let bytes = Array(text.readableBytesView)
    return switch Int.random(in: 0..<4, using: &random) {
    case 0: ByteBuffer(bytes: Self.damage.applied(to: bytes, mixing: bytes, most: 2, using: &random))
    case 1: ByteBuffer(bytes: Mutation.changingNumbers(in: bytes, most: 2, using: &random))
    default: text
    }
  }

  @Test func anyVersionCanFollowAnyOther() {
    let stream = LiveStream(hasParts: true)
    let versions = (20..<32).map { stream.version($0) }
    var (read, deltas, found) = (0, 0, 0)
    for number in DamagedSamples.numbers(120) {
      var random = SeededGenerator(seed: UInt64(number))
      var history = PlaylistHistory(url: "live.m3u8")
      var time = Ticks.seconds(100)
      for version in versions {
        time = time + .milliseconds(Int64.random(in: 0...3000, using: &random))
        let sent = Int.random(in: 0..<4, using: &random) == 0 ? version.delta(skipUntil: .seconds(12)) : nil
        let text = damaged((sent ?? version).render(), using: &random)
        guard var playlist = try? MediaPlaylist.parse(text) else { continue }
        read += 1
        // As the follower does it: a delta before any full playlist is taken as it is.
        if playlist.skipped != nil, let previous = history.newest {
          let (verdicts, full) = PlaylistHistory.judgeDelta(playlist, previous: previous, url: "live.m3u8")
          found += verdicts.findings.count
          guard let full else { continue }
          (playlist, deltas) = (full, deltas + 1)
        }
        let isDirected = Bool.random(using: &random)
        let verdicts = history.take(
          playlist, asked: time - .milliseconds(Int64.random(in: 0...500, using: &random)), arrived: time,
          isDirected: isDirected)
        found += verdicts.findings.count
        _ = history.judgePromises(playlist, countsDiscontinuities: isDirected, independentElsewhere: false)
        #expect(history.newest != nil && history.lateAt.map { $0 > .zero } ?? true, "sample \(number)")
      }
    }
    #expect(read > 600 && deltas > 50 && found > 200, "\(read), \(deltas), \(found)")
  }

  /// A first playlist that is a delta stands for nothing, and what it skips must not be counted through.
  @Test func aFirstPlaylistCanSkipAnyCount() throws {
    let full = LiveStream(hasParts: true).version(40)
    var delta = try #require(full.delta(skipUntil: .seconds(12)))
    delta.skipped = 1 << 60
    var history = PlaylistHistory(url: "live.m3u8")
    _ = history.take(delta, asked: .seconds(1), arrived: .seconds(2))
    #expect(history.newest?.skipped == 1 << 60)
    #expect(history.take(full, asked: .seconds(3), arrived: .seconds(4)).findings.contains { $0.rule == .appending })
  }

  @Test(arguments: [0, 1, 1_000_000, 1 << 61]) func aVariantCanHaveAnyBandwidth(bandwidth: Int) {
    let variant = MultivariantPlaylist.Variant(uri: "live.m3u8", bandwidth: bandwidth, averageBandwidth: bandwidth)
    var probe = MediaProbe(variant: variant)
    _ = probe.takeInit(SampleMedia.initSegment(), url: "init")
    var found = 0
    for number in 0..<15 {
      let piece = MediaProbe.Piece(
        key: "\(number)", follows: nil, url: "s", duration: .seconds(2), map: "init", claimsIndependence: true,
        isSegment: true)
      let verdicts = probe.take(piece, SampleMedia.fragment(start: 0, pictures: 4))
      found += verdicts.findings.count { $0.rule == .variant }
    }
    found += probe.finish().findings.count
    #expect((found > 0) == (bandwidth < 2), "\(found)")
  }

  @Test(
    arguments: [
      ("", 0), ("12", 12), ("-5", 0), ("-9223372036854775808", 0), ("9223372036854775807", 86_400),
      ("99999999999999999999", 0),
      ("1.5", 0),
    ] as [(String, Int64)])
  func anAnswerHasAnAgeOfADayAtMost(field: String, seconds: Int64) {
    var exchange = Exchange(url: "u", asked: .zero, answered: .zero, firstByte: .zero, done: .zero)
    exchange.headers["age"] = field
    #expect(exchange.age == .seconds(seconds))
  }
}
