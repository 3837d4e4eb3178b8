import HTTPTypes
import Media
import NIOCore
import Playlist
import Testing

@testable import Bench

/// What a player loads and when, by hls.js's rules.
struct PlayingTests {
  /// Segments of four parts of 1 s, `sequence` and one before complete, then `trailing` parts.
  private func playlist(sequence: Int, trailing: Int, parts: Bool = true) -> MediaPlaylist {
    func part(_ sequence: Int, _ index: Int) -> MediaPlaylist.Part {
      MediaPlaylist.Part(uri: "\(sequence).\(index).mp4", duration: .seconds(1), independent: index == 0)
    }
    let segments = (sequence - 5...sequence).map { number in
      MediaPlaylist.Segment(
        uri: "\(number).mp4", duration: .seconds(4),
        programDateTime: WallTime(milliseconds: Int64(number) * 4000), map: MediaPlaylist.Map(uri: "init.mp4"),
        parts: parts && number > sequence - 2 ? (0..<4).map { part(number, $0) } : [])
    }
    return MediaPlaylist(
      targetDuration: 4, mediaSequence: sequence - 5, independentSegments: true,
      serverControl: MediaPlaylist.ServerControl(
        canBlockReload: true, canSkipUntil: .seconds(24), holdBack: .seconds(12),
        partHoldBack: parts ? .seconds(3) : nil),
      partTarget: parts ? .seconds(1) : nil, segments: segments,
      trailingParts: parts ? (0..<trailing).map { part(sequence + 1, $0) } : [],
      preloadHint: parts ? MediaPlaylist.PreloadHint(uri: "\(sequence + 1).\(trailing).mp4") : nil)
  }

  @Test func aViewerBeginsAtTheSegmentThatHoldsTheHoldBack() {
    var list = PieceList(path: "/desk/live.m3u8")
    #expect(
      list.begin(playlist(sequence: 10, trailing: 3)).map(\.path) == [
        "/desk/11.0.mp4", "/desk/11.1.mp4", "/desk/11.2.mp4",
      ])
    list = PieceList(path: "/desk/live.m3u8")
    let early = list.begin(playlist(sequence: 10, trailing: 1))
    #expect(early.map(\.path) == (0..<4).map { "/desk/10.\($0).mp4" } + ["/desk/11.0.mp4"])
    #expect(early.last?.date == WallTime(milliseconds: 44_000))
  }

  @Test func eachPartIsLoadedOnce() {
    var list = PieceList(path: "/desk/live.m3u8")
    _ = list.begin(playlist(sequence: 10, trailing: 3))
    #expect(list.take(playlist(sequence: 10, trailing: 3)).isEmpty)
    #expect(list.take(playlist(sequence: 11, trailing: 0)).map(\.path) == ["/desk/11.3.mp4"])
    #expect(list.take(playlist(sequence: 11, trailing: 1)).map(\.path) == ["/desk/12.0.mp4"])
    // Parts that are listed no more are not made up for by their whole segment.
    #expect(list.take(playlist(sequence: 12, trailing: 0, parts: false)).isEmpty)
    #expect(list.take(playlist(sequence: 13, trailing: 0, parts: false)).map(\.path) == ["/desk/13.mp4"])
  }

  @Test func plainStreamsBeginThreeSegmentsBehind() {
    var list = PieceList(path: "/hls/index.m3u8")
    let pieces = list.begin(playlist(sequence: 10, trailing: 0, parts: false))
    #expect(pieces.map(\.path) == ["/hls/8.mp4", "/hls/9.mp4", "/hls/10.mp4"])
  }

  @Test func reloadsAskForTheNextPart() {
    #expect(playlist(sequence: 10, trailing: 3).reloadQuery == "_HLS_msn=11&_HLS_part=3&_HLS_skip=YES")
    #expect(playlist(sequence: 10, trailing: 0, parts: false).reloadQuery == "_HLS_msn=11&_HLS_skip=YES")
    var deaf = playlist(sequence: 10, trailing: 3)
    deaf.serverControl = nil
    #expect(deaf.reloadQuery == nil)
  }

  @Test func namesOfPartsGoOnByCounting() throws {
    var name = try #require(PartName("71.10.mp4"))
    name.advance(partsPerSegment: 12)
    #expect(name.text == "71.11.mp4")
    name.advance(partsPerSegment: 12)
    #expect(name.text == "72.0.mp4")
    #expect(PartName("seg71-part10.mp4") == nil)
  }

  @Test func pathsAreResolved() {
    #expect(resolve("live.m3u8", from: "/desk/index.m3u8?x=/y") == "/desk/live.m3u8")
    #expect(resolve("../_/player.css", from: "/desk/") == "/_/player.css")
    #expect(resolve("./hls.mjs", from: "/_/player.js") == "/_/hls.mjs")
    #expect(resolve("/a", from: "/desk/b") == "/a")
  }

  private func answer(_ status: Int, _ fields: HTTPFields) -> WireAnswer {
    WireAnswer(status: status, fields: fields, body: ByteBuffer(), began: .now, ended: .now)
  }

  @Test func aBrowserAsksOnlyForWhatItCannotKnow() {
    var cache = BrowserCache()
    cache.store(
      "/1.0.mp4", answer(200, [.cacheControl: "public, max-age=31536000, immutable"]), kind: .media, body: ByteBuffer())
    guard case .fresh = cache.decide("/1.0.mp4", at: .now) else {
      Issue.record("what never changes was asked for again")
      return
    }
    cache.store(
      "/latest.jpg", answer(200, [.cacheControl: "no-cache", .eTag: "\"7\""]), kind: .media, body: ByteBuffer())
    guard case .ask(let conditions) = cache.decide("/latest.jpg", at: .now) else {
      Issue.record("what must be asked about was taken from the cache")
      return
    }
    #expect(conditions.map { "\($0.0): \($0.1)" } == ["If-None-Match: \"7\""])
    cache.store("/secret", answer(200, [.cacheControl: "no-store", .eTag: "\"7\""]), kind: .media, body: ByteBuffer())
    guard case .ask(let none) = cache.decide("/secret", at: .now), none.isEmpty else {
      Issue.record("what must not be kept was kept")
      return
    }
  }
}
