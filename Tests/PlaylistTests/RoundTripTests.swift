import Media
import NIOCore
import Playlist
import TestSupport
import Testing

@Suite("Rendering and parsing undo each other")
struct RoundTripTests {
  @Test("any media playlist", arguments: 0..<8)
  func media(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for number in 0..<300 {
      let playlist = MediaPlaylist.random(using: &generator)
      let bytes = playlist.render()
      var warnings: [PlaylistError] = []
      let parsed = try MediaPlaylist.parse(bytes, warnings: &warnings)
      #expect(parsed == playlist, "playlist \(number) of seed \(seed)")
      #expect(warnings.isEmpty)
      #expect(parsed.render() == bytes)
    }
  }

  @Test("any multivariant playlist", arguments: 0..<4)
  func multivariant(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for number in 0..<300 {
      let playlist = MultivariantPlaylist.random(using: &generator)
      let bytes = playlist.render()
      let parsed = try MultivariantPlaylist.parse(bytes)
      #expect(parsed == playlist, "playlist \(number) of seed \(seed)")
      #expect(parsed.render() == bytes)
    }
  }

  @Test("CR LF line ends, blank lines and comments change nothing")
  func lineEnds() throws {
    let playlist = Samples.lowLatency
    let lines = String(buffer: playlist.render()).split(separator: "\n")
    let foreign = lines.joined(separator: "\r\n\r\n# a comment\r\n#a comment\r\n")
    #expect(try MediaPlaylist.parse(foreign) == playlist)
  }

  @Test("hostile texts stay in their place")
  func hostile() throws {
    let text = "#x\"\n#EXT-X-ENDLIST\r\n\u{85}\u{0} ü"
    let playlist = MediaPlaylist(
      targetDuration: 1, partTarget: .seconds(1),
      segments: [
        .init(
          uri: text, duration: .seconds(1), map: .init(uri: text),
          parts: [.init(uri: text, duration: .seconds(1))], title: text)
      ],
      preloadHint: .init(uri: text), dateRanges: [.init(id: text, startDate: Samples.start)])
    let parsed = try MediaPlaylist.parse(playlist.render())
    let escaped = "%23x%22%0A#EXT-X-ENDLIST%0D%0A%C2%85%00%20ü"
    #expect(!parsed.endList)
    #expect(parsed.segments.map(\.uri) == [escaped])
    #expect(parsed.segments[0].map?.uri == "#" + escaped.dropFirst(3))
    #expect(parsed.segments[0].parts.map(\.uri) == ["#" + escaped.dropFirst(3)])
    #expect(parsed.segments[0].title == "#x\"%0A#EXT-X-ENDLIST%0D%0A%C2%85%00 ü")
    #expect(parsed.preloadHint?.uri == "#" + escaped.dropFirst(3))
    #expect(parsed.dateRanges.map(\.id) == ["#x%22%0A#EXT-X-ENDLIST%0D%0A%C2%85%00 ü"])
  }

  @Test("an empty server control is left out, since an attribute list must not be empty")
  func emptyServerControl() throws {
    let playlist = MediaPlaylist(targetDuration: 1, serverControl: .init())
    #expect(try MediaPlaylist.parse(playlist.render()).serverControl == nil)
  }

  @Test("what other servers write is understood")
  func foreign() throws {
    var warnings: [PlaylistError] = []
    let playlist = try MediaPlaylist.parse(
      ByteBuffer(
        string: """
          #EXTM3U
          #EXT-X-VERSION:7
          #EXT-X-TARGETDURATION:7
          #EXT-X-MEDIA-SEQUENCE:2680
          #EXT-X-START:TIME-OFFSET=-18.0,PRECISE=YES
          #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,FUTURE-ATTRIBUTE="a,b",PART-HOLD-BACK=1.50000
          #EXT-X-CUE-OUT:30
          #EXT-X-MAP:URI="init.mp4",BYTERANGE="720@0"
          #EXT-X-PROGRAM-DATE-TIME:2026-11-21T10:30:00.25+0100
          #EXTINF:6.666667,
          https://example.com/a.m4s
          #EXTINF:5.005000,no title, really
          b.m4s
          #EXT-X-PRELOAD-HINT:TYPE=PART,URI="c.m4s"
          #EXT-X-PRELOAD-HINT:TYPE=PART,URI="d.m4s"
          #EXT-X-PRELOAD-HINT:TYPE=KEY,URI="e.m4s"
          """), warnings: &warnings)
    #expect(playlist.segments.map(\.duration) == [Ticks(600_000), Ticks(450_450)])
    #expect(playlist.segments.map(\.title) == [nil, "no title, really"])
    #expect(playlist.segments[0].programDateTime == Samples.start.advanced(by: .milliseconds(250)))
    #expect(playlist.segments.map { $0.map?.byteRange } == Array(repeating: .init(length: 720, offset: 0), count: 2))
    #expect(playlist.trailingMap == nil)
    #expect(playlist.preloadHint?.uri == "c.m4s")
    #expect(playlist.serverControl == .init(canBlockReload: true, partHoldBack: .milliseconds(1_500)))
    #expect(
      warnings.map(\.description) == [
        "line 5, EXT-X-START: the tag is not modelled and was ignored (rfc8216bis, section 4.4.2.2)",
        "line 7, EXT-X-CUE-OUT: the tag is unknown and was ignored (rfc8216bis, section 6.3.1)",
        "line 15, EXT-X-PRELOAD-HINT: a second hint with TYPE=PART was ignored (rfc8216bis, section 4.4.5.3)",
        "line 16, EXT-X-PRELOAD-HINT: the TYPE \"KEY\" is unknown and the hint was ignored"
          + " (rfc8216bis, section 4.4.5.3)",
        "EXT-X-DISCONTINUITY-SEQUENCE: the tag is missing; a live playlist needs it before it can ever rise"
          + " (rfc8216bis, section 4.4.3.3)",
        "line 2, EXT-X-VERSION: version 7 is declared where 6 is enough (rfc8216bis, section 8)",
      ])
  }
}
