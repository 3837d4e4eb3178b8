import Playlist
import Testing

@testable import Check

@Suite struct ReadingTests {
  private static let good = """
    #EXTM3U
    #EXT-X-VERSION:6
    #EXT-X-TARGETDURATION:2
    #EXT-X-DISCONTINUITY-SEQUENCE:0
    #EXT-X-MAP:URI="init.mp4"
    #EXTINF:2,
    a.mp4
    #EXTINF:2,
    b.mp4
    """

  private func read(_ text: String) -> PlaylistReading { PlaylistReading(Array(text.utf8), url: "u") }

  @Test("A good playlist is judged and nothing is found")
  func good() {
    let reading = read(Self.good)
    #expect(reading.verdicts.findings == [])
    #expect(reading.verdicts.judged == [.form, .liveness])
    #expect(reading.countsDiscontinuities && !reading.isEncrypted)
  }

  @Test("A wrong line is found with its number and section, and the rest is read")
  func wrongLine() {
    let reading = read(Self.good + "\n#EXT-X-PROGRAM-DATE-TIME:yesterday\n#EXTINF:2,\nc.mp4")
    #expect(reading.verdicts.findings.map(\.rule) == [.form])
    #expect(reading.verdicts.findings.first?.place == "line 10")
    #expect(reading.verdicts.findings.first?.section == "4.4.4.6")
    #expect(reading.playlist?.segments.count == 3)
  }

  @Test("A map under a version that is too low breaks the map's own rule")
  func lowVersion() {
    let reading = read(Self.good.replacing("VERSION:6", with: "VERSION:3"))
    #expect(reading.verdicts.findings.map(\.rule) == [.splice])
    #expect(reading.playlist?.segments.count == 2)
  }

  @Test("A version higher than the tags need is no matter of must")
  func highVersion() {
    let reading = read(Self.good.replacing("VERSION:6", with: "VERSION:7"))
    #expect(reading.verdicts.findings.map(\.rule) == [.liveness])
    #expect(reading.verdicts.findings.map(\.severity) == [.should])
  }

  @Test("What is no playlist gives none", arguments: ["", "<html>", "#EXTM3U", "\u{FEFF}", "#EXTM3U\n\u{0}"])
  func noPlaylist(_ text: String) {
    #expect(read(text).playlist == nil)
    #expect(!read(text).verdicts.holds)
  }

  @Test("A byte order mark is found and read over")
  func byteOrderMark() {
    let reading = read("\u{FEFF}" + Self.good)
    #expect(reading.verdicts.findings.map(\.rule) == [.form])
    #expect(reading.playlist != nil)
  }

  @Test("A multivariant playlist says what its variants need")
  func variants() {
    let full =
      "BANDWIDTH=100,AVERAGE-BANDWIDTH=90,CODECS=\"avc1.640016\",RESOLUTION=64x48,FRAME-RATE=2.000"
    func findings(_ attributes: String) -> [Finding] {
      VariantRules.read(Array("#EXTM3U\n#EXT-X-STREAM-INF:\(attributes)\nlive.m3u8\n".utf8), url: "").1.findings
    }
    #expect(findings(full) == [])
    for attribute in full.split(separator: ",").dropFirst() {
      let lacking = findings(full.replacing(",\(attribute)", with: ""))
      #expect(lacking.map(\.rule) == [.variant], "\(attribute)")
      #expect(lacking.map(\.severity) == [.should])
    }
    #expect(findings(full.replacing("=90", with: "=101")).map(\.severity) == [.must])
    #expect(findings("BANDWIDTH=x").map(\.rule) == [.form])
  }

  @Test("Relative and absolute addresses are resolved, directives are added in order")
  func addresses() {
    #expect(PlaylistAddress.resolve("a.mp4", from: "http://h/x/live.m3u8?k=1") == "http://h/x/a.mp4")
    #expect(PlaylistAddress.resolve("/a.mp4", from: "http://h/x/live.m3u8") == "http://h/a.mp4")
    #expect(PlaylistAddress.resolve("../a.mp4?b", from: "http://h/x/y/live.m3u8") == "http://h/x/a.mp4?b")
    #expect(PlaylistAddress.resolve("https://o/a.mp4", from: "http://h/x/live.m3u8") == "https://o/a.mp4")
    #expect(PlaylistAddress.adding("_HLS_msn=1", to: "http://h/a.m3u8?k=1#f") == "http://h/a.m3u8?k=1&_HLS_msn=1")
    #expect(PlaylistAddress.unannounced("http://h/1/812.3.mp4") == "http://h/1/812.37777.mp4")
    #expect(PlaylistAddress.unannounced("http://h/1/init.mp4?a=1") == "http://h/1/never-init.mp4?a=1")
  }
}
