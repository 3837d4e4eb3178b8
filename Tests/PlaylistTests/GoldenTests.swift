import Media
import NIOCore
import Playlist
import Testing

@Suite("What playlists look like")
struct GoldenTests {
  @Test("a low-latency playlist")
  func lowLatency() throws {
    var playlist = Samples.lowLatency
    // Fewer parts, to fit on a page.
    playlist.segments[5].parts = Samples.parts(of: 1_033, 3)
    let text = """
      #EXTM3U
      #EXT-X-VERSION:6
      #EXT-X-INDEPENDENT-SEGMENTS
      #EXT-X-TARGETDURATION:12
      #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=72,HOLD-BACK=36,PART-HOLD-BACK=3
      #EXT-X-PART-INF:PART-TARGET=1
      #EXT-X-MEDIA-SEQUENCE:1028
      #EXT-X-DISCONTINUITY-SEQUENCE:3
      #EXT-X-MAP:URI="init-1.mp4"
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:30:00.000Z
      #EXTINF:12,
      s1028.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:30:12.000Z
      #EXTINF:12,
      s1029.m4s
      #EXT-X-DISCONTINUITY
      #EXT-X-MAP:URI="init-2.mp4"
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:30:24.000Z
      #EXTINF:12,
      s1030.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:30:36.000Z
      #EXTINF:12,
      s1031.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:30:48.000Z
      #EXTINF:12,
      s1032.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:31:00.000Z
      #EXT-X-PART:DURATION=1,URI="p1033.0.m4s",INDEPENDENT=YES
      #EXT-X-PART:DURATION=1,URI="p1033.1.m4s"
      #EXT-X-PART:DURATION=1,URI="p1033.2.m4s"
      #EXTINF:12,
      s1033.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:31:12.000Z
      #EXT-X-PART:DURATION=1,URI="p1034.0.m4s",INDEPENDENT=YES
      #EXT-X-PART:DURATION=1,URI="p1034.1.m4s"
      #EXT-X-PRELOAD-HINT:TYPE=PART,URI="p1034.2.m4s"
      #EXT-X-RENDITION-REPORT:URI="../320x240/index.m3u8",LAST-MSN=1034,LAST-PART=1

      """
    #expect(String(buffer: playlist.render()) == text)
    #expect(try MediaPlaylist.parse(text) == playlist)
  }

  @Test("a plain playlist that has ended and needs decimals")
  func plain() throws {
    let playlist = MediaPlaylist(
      targetDuration: 2,
      segments: [
        .init(uri: "a.ts", duration: .seconds(2), title: "first"),
        .init(uri: "b.ts", duration: Ticks(30_000), gap: true),
        .init(uri: "c.ts", duration: .milliseconds(1_500), byteRange: .init(length: 1_000, offset: 752)),
        .init(uri: "c.ts", duration: .seconds(1), byteRange: .init(length: 500)),
      ], endList: true, playlistType: .vod)
    let text = """
      #EXTM3U
      #EXT-X-VERSION:4
      #EXT-X-TARGETDURATION:2
      #EXT-X-MEDIA-SEQUENCE:0
      #EXT-X-DISCONTINUITY-SEQUENCE:0
      #EXT-X-PLAYLIST-TYPE:VOD
      #EXTINF:2,first
      a.ts
      #EXT-X-GAP
      #EXTINF:0.33333,
      b.ts
      #EXT-X-BYTERANGE:1000@752
      #EXTINF:1.5,
      c.ts
      #EXT-X-BYTERANGE:500
      #EXTINF:1,
      c.ts
      #EXT-X-ENDLIST

      """
    #expect(String(buffer: playlist.render()) == text)
    #expect(try MediaPlaylist.parse(text) == playlist)
  }

  @Test("a closed segment whose successor begins with a discontinuity that has no part yet")
  func closedBeforeDiscontinuity() throws {
    let playlist = MediaPlaylist(
      targetDuration: 2, partTarget: .seconds(1),
      segments: [.init(uri: "a.m4s", duration: .seconds(2), map: Samples.map)],
      trailingDiscontinuity: true, trailingMap: Samples.map, trailingProgramDateTime: Samples.start,
      preloadHint: .init(uri: "b.m4s"), mapPreloadHint: .init(uri: "i.mp4", byteRangeLength: 720),
      dateRanges: [.init(id: "d1", startDate: Samples.start, duration: .milliseconds(250))])
    let text = """
      #EXTM3U
      #EXT-X-VERSION:6
      #EXT-X-TARGETDURATION:2
      #EXT-X-PART-INF:PART-TARGET=1
      #EXT-X-MEDIA-SEQUENCE:0
      #EXT-X-DISCONTINUITY-SEQUENCE:0
      #EXT-X-DATERANGE:ID="d1",START-DATE="2026-11-21T09:30:00.000Z",DURATION=0.25
      #EXT-X-MAP:URI="init-1.mp4"
      #EXTINF:2,
      a.m4s
      #EXT-X-DISCONTINUITY
      #EXT-X-MAP:URI="init-1.mp4"
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:30:00.000Z
      #EXT-X-PRELOAD-HINT:TYPE=PART,URI="b.m4s"
      #EXT-X-PRELOAD-HINT:TYPE=MAP,URI="i.mp4",BYTERANGE-LENGTH=720

      """
    #expect(String(buffer: playlist.render()) == text)
    #expect(try MediaPlaylist.parse(text) == playlist)
  }

  @Test("a multivariant playlist")
  func multivariant() throws {
    let playlist = MultivariantPlaylist(
      independentSegments: true,
      variants: [
        .init(
          uri: "640x480/index.m3u8", bandwidth: 120_000, averageBandwidth: 64_000, codecs: "avc1.64001e",
          resolution: .init(width: 640, height: 480), frameRate: .init(perSecond: 2), videoRange: .sdr,
          noClosedCaptions: true),
        .init(
          uri: "320x240/index.m3u8", bandwidth: 40_000, resolution: .init(width: 320, height: 240),
          frameRate: .init(step: Ticks(3_003))),
      ])
    let text = """
      #EXTM3U
      #EXT-X-INDEPENDENT-SEGMENTS
      #EXT-X-STREAM-INF:BANDWIDTH=120000,AVERAGE-BANDWIDTH=64000,CODECS="avc1.64001e",RESOLUTION=640x480,\
      FRAME-RATE=2,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE
      640x480/index.m3u8
      #EXT-X-STREAM-INF:BANDWIDTH=40000,RESOLUTION=320x240,FRAME-RATE=29.97
      320x240/index.m3u8

      """
    #expect(String(buffer: playlist.render()) == text)
    #expect(try MultivariantPlaylist.parse(text) == playlist)
  }

  @Test("the version is the lowest that the tags allow")
  func version() {
    var playlist = MediaPlaylist(targetDuration: 4, segments: [.init(uri: "a", duration: .seconds(4))])
    #expect(playlist.version == 1)
    #expect(!String(buffer: playlist.render()).contains("VERSION"))
    playlist.segments[0].duration = .milliseconds(3_999)
    #expect(playlist.version == 3)
    playlist.segments[0].byteRange = .init(length: 1, offset: 0)
    #expect(playlist.version == 4)
    playlist.trailingMap = Samples.map
    #expect(playlist.version == 6)
    playlist.skipped = 1
    #expect(playlist.version == 9)
  }
}
