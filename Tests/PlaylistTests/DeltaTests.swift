import Media
import NIOCore
import Playlist
import Testing

@Suite("Playlist delta updates")
struct DeltaTests {
  @Test("a delta repeats the map and the date behind EXT-X-SKIP and has version 9")
  func golden() throws {
    var playlist = Samples.lowLatency
    playlist.segments[5].parts = []
    let delta = try #require(playlist.delta(skipUntil: .seconds(24)))
    let text = """
      #EXTM3U
      #EXT-X-VERSION:9
      #EXT-X-INDEPENDENT-SEGMENTS
      #EXT-X-TARGETDURATION:12
      #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=72,HOLD-BACK=36,PART-HOLD-BACK=3
      #EXT-X-PART-INF:PART-TARGET=1
      #EXT-X-MEDIA-SEQUENCE:1028
      #EXT-X-DISCONTINUITY-SEQUENCE:3
      #EXT-X-SKIP:SKIPPED-SEGMENTS=4
      #EXT-X-MAP:URI="init-2.mp4"
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:30:48.000Z
      #EXTINF:12,
      s1032.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:31:00.000Z
      #EXTINF:12,
      s1033.m4s
      #EXT-X-PROGRAM-DATE-TIME:2026-11-21T09:31:12.000Z
      #EXT-X-PART:DURATION=1,URI="p1034.0.m4s",INDEPENDENT=YES
      #EXT-X-PART:DURATION=1,URI="p1034.1.m4s"
      #EXT-X-PRELOAD-HINT:TYPE=PART,URI="p1034.2.m4s"
      #EXT-X-RENDITION-REPORT:URI="../320x240/index.m3u8",LAST-MSN=1034,LAST-PART=1

      """
    #expect(String(buffer: delta.render()) == text)
    #expect(try MediaPlaylist.parse(text) == delta)
    #expect(delta.merging(into: playlist) == playlist)
  }

  @Test("no skipped segment reaches over the boundary", arguments: [1, 11, 12, 13, 24, 35, 59, 60])
  func boundary(seconds: Int64) throws {
    let delta = try #require(Samples.lowLatency.delta(skipUntil: .seconds(seconds)))
    let kept = delta.segments.reduce(Ticks.zero) { $0 + $1.duration }
    #expect(kept >= .seconds(seconds))
    #expect(kept - delta.segments[0].duration < .seconds(seconds))
    #expect(delta.skipped == 6 - delta.segments.count)
  }

  @Test("there is no delta where nothing lies before the boundary, nor of an ended playlist, nor of a delta")
  func nothingToSkip() throws {
    var playlist = Samples.lowLatency
    #expect(playlist.delta(skipUntil: .seconds(61)) == nil)
    #expect(playlist.delta(skipUntil: .seconds(72)) == nil)
    #expect(playlist.delta(skipUntil: .zero) == nil)
    #expect(MediaPlaylist(targetDuration: 1).delta(skipUntil: .seconds(6)) == nil)
    let delta = try #require(playlist.delta(skipUntil: .seconds(12)))
    #expect(delta.delta(skipUntil: .seconds(12)) == nil)
    playlist.endList = true
    #expect(playlist.delta(skipUntil: .seconds(12)) == nil)
  }

  @Test("the first segment that stays inherits map and date, and keeps its discontinuity")
  func inheritance() throws {
    var playlist = Samples.lowLatency
    for index in playlist.segments.indices.dropFirst() {
      playlist.segments[index].map = nil
      playlist.segments[index].programDateTime = nil
    }
    let first = try #require(playlist.delta(skipUntil: .seconds(48))?.segments.first)
    #expect(first.uri == "s1030.m4s")
    #expect(first.discontinuity)
    #expect(first.map == Samples.map)
    #expect(first.programDateTime == Samples.start.advanced(by: .seconds(24)))
  }

  @Test("there is no delta where a byte range would lose its beginning")
  func byteRange() throws {
    var playlist = Samples.lowLatency
    for index in playlist.segments.indices {
      playlist.segments[index].uri = "all.m4s"
      playlist.segments[index].byteRange = .init(length: 10, offset: index == 4 ? 40 : nil)
    }
    #expect(playlist.delta(skipUntil: .seconds(12)) == nil)
    #expect(playlist.delta(skipUntil: .seconds(24)) != nil)
  }

  @Test("any delta and any recent playlist give the full playlist again, over the wire too")
  func reconstruction() throws {
    for now in stride(from: 20, through: 120, by: 3) {
      let full = Samples.window(at: now)
      let update = try #require(full.delta(skipUntil: .seconds(12)))
      let delta = try MediaPlaylist.parse(update.render())
      // A client should ask for a delta only while its playlist is at most half the boundary old, 6 s here; up to the
      // whole boundary it still has every skipped segment, though with parts that are no longer listed.
      for age in 0...12 {
        let previous = try MediaPlaylist.parse(Samples.window(at: now - age).render())
        #expect(delta.merging(into: previous)?.render() == full.render(), "at \(now) s, \(age) s old")
      }
    }
  }

  @Test("a delta does not merge into a playlist that lacks a skipped segment")
  func missing() throws {
    let delta = try #require(Samples.window(at: 100).delta(skipUntil: .seconds(12)))
    #expect(delta.merging(into: Samples.window(at: 60)) == nil)
    #expect(delta.merging(into: Samples.window(at: 140)) == nil)
    #expect(delta.merging(into: delta) == nil)
    #expect(delta.merging(into: MediaPlaylist(targetDuration: 2, mediaSequence: .min)) == nil)
    #expect(Samples.lowLatency.merging(into: delta) == Samples.lowLatency)
  }
}
