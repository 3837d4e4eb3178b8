import Ingest
import Media
import NIOCore
import Picture
import Testing

@testable import Bench

@Suite struct TimePatternTests {
  @Test(arguments: [0, 1, 4_242_424, 0xFF_FFFF] as [UInt32])
  func theTimeSurvivesTheCoarsestEncode(_ time: UInt32) throws {
    let size = PictureSize(width: 320, height: 240)
    var filter = PictureFilter(settings: PictureSettings(size: size))
    var encoder = try PictureEncoder(
      settings: EncoderSettings(preset: .ultrafast, crf: 35, ssim: 0), size: size, step: .milliseconds(500),
      rateWindow: .seconds(4))
    var decoder = try StreamDecoder()
    // The still before is another one, so that the denoiser has something to mix in.
    _ = try filter.process(try TimePattern.paint(~time, size: size), orientation: .upright)
    let picture = try filter.process(try TimePattern.paint(time, size: size), orientation: .upright)
    let seen = try decoder.decode(try encoder.encode(picture, as: .idr))
    #expect(TimePattern.read(seen) == time)
  }

  @Test func aJPEGOfLowQualityCarriesTheTimeToo() throws {
    var encoder = JPEGEncoder(quality: 10)
    let jpeg = try encoder.encode(try TimePattern.paint(123_456, size: PictureSize(width: 640, height: 480)))
    let picture = try StillDecoder().decode(jpeg, header: try JPEGHeader(jpeg, maxPixels: 1 << 20))
    #expect(TimePattern.read(picture) == 123_456)
  }

  @Test func otherPicturesCarryNoTime() throws {
    #expect(TimePattern.read(try Frame.slate(size: PictureSize(width: 320, height: 240))) == nil)
  }

  @Test func agesCrossTheEndOfThePeriod() {
    #expect(TimePattern.age(of: 1000, now: 1500) == 500)
    #expect(TimePattern.age(of: TimePattern.period - 100, now: 50) == 150)
  }
}

@Suite struct LatencyHistogramTests {
  @Test func percentilesAreTheNearestRanks() {
    var histogram = LatencyHistogram(name: "x")
    #expect(histogram.percentile(50) == nil)
    histogram.samples = [1000]
    #expect(histogram.percentile(50) == 1000 && histogram.percentile(95) == 1000)
    histogram.samples = (1...20).reversed().map { $0 * 100 }
    #expect(histogram.percentile(50) == 1000)
    #expect(histogram.percentile(95) == 1900)
    #expect(histogram.percentile(100) == 2000)
  }

  @Test func quartersCountEverySampleOnce() {
    var histogram = LatencyHistogram(name: "x")
    histogram.samples = [0, 249, 250, 1000, 1001]
    #expect(histogram.quarters == [2, 1, 0, 0, 2])
  }

  @Test func aStillCountsOnlyWhenItIsFirstSeen() {
    let board = LatencyBoard()
    let time = LatencyBoard.now()
    for _ in 0..<3 { board.saw(time, way: "a") }
    board.saw(time, way: "b")
    #expect(board.histograms.map(\.name) == ["a", "b"])
    #expect(board.histograms.map(\.samples.count) == [1, 1])
  }
}
