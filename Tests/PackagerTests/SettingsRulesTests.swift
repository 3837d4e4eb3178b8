import Media
import NIOCore
import Picture
import Playlist
import Testing

@testable import Packager

@Suite struct SettingsRulesTests {
  @Test func theDefaultTimelineIsFourPicturesAPartAndFifteenPartsASegment() throws {
    let timeline = try TimelineSettings()
    #expect(timeline.stepsPerPart == 4 && timeline.partsPerSegment == 15 && timeline.targetDuration == 30)
  }

  @Test(
    arguments: [
      (0, 90_000, 1_080_000, 6, "rate"), (31, 90_000, 1_080_000, 6, "rate"), (7, 90_000, 1_080_000, 6, "rate"),
      (2, 10_000, 1_080_000, 6, "part"), (2, 60_000, 1_080_000, 6, "part"), (1, 45_000, 1_080_000, 6, "part"),
      (2, 90_000, 90_000 * 61, 6, "segment"), (2, 135_000, 90_000 * 4, 6, "segment"),
      (2, 45_000, 135_000, 6, "segment"),
      (1, 90_000, 90_000, 6, "segment"), (2, 90_000, 1_080_000, 5, "window"), (2, 90_000, 1_080_000, 101, "window"),
    ] as [(Int64, Int64, Int64, Int, String)])
  func timelinesThatCannotBeNameTheSetting(rate: Int64, part: Int64, segment: Int64, window: Int, setting: String) {
    do {
      _ = try TimelineSettings(rate: rate, part: Ticks(part), segment: Ticks(segment), listedSegments: window)
      Issue.record("was accepted")
    } catch {
      #expect(error.setting == setting)
      #expect(error.description.contains("accepted"))
    }
  }

  @Test(
    arguments: [
      (2, 2_000, 1, 1, 12), (2, 2_000, 2, 2, 6), (1, 2_000, 1, 2, 6), (1, 2_000, 3, 3, 6), (5, 200, 1, 1, 12),
      (2, 6_000, 10, 10, 6),
    ] as [(Int64, Int64, Int64, Int, Int)])
  func segmentsForPlayersWithoutPartsAreShortAndEnough(
    rate: Int64, part: Int64, wanted: Int64, seconds: Int, listed: Int
  ) throws {
    let plain = try TimelineSettings(rate: rate, part: .milliseconds(part), plainSegment: .seconds(wanted)).plain
    #expect(plain.targetDuration == seconds && plain.listedSegments == listed && plain.partsPerSegment == 1)
    #expect(plain.stepsPerPart >= 2)
  }

  @Test func theMultivariantPlaylistSaysWhatTheRuleAsksFor() throws {
    let size = PictureSize(width: 640, height: 480)
    let info = StreamInfo(
      codec: "avc1.640016", size: size, encoder: EncoderSettings(), timeline: try TimelineSettings())
    let text = String(buffer: info.multivariantPlaylist(uri: "live.m3u8").render())
    for piece in [
      "CODECS=\"avc1.640016\"", "RESOLUTION=640x480", "FRAME-RATE=2", "BANDWIDTH=", "AVERAGE-BANDWIDTH=", "\nlive.m3u8",
    ] { #expect(text.contains(piece)) }
    #expect(info.averageBandwidth < info.peakBandwidth)
  }
}
