import Ingest
import Media
import NIOCore
import Testing

@testable import Picture

@Suite struct PictureFilterTests {
  /// A still of one colour everywhere, coded by libjpeg.
  private func flat(_ rgb: [UInt8], width: Int, height: Int, _ options: [String] = []) throws -> Frame {
    let bytes = painted(width: width, height: height) { _, _ in rgb }
    return try decoded(
      ForeignProgram.jpeg(bytes, width: width, height: height, ["-quality", "100", "-sample", "1x1"] + options))
  }

  private func filtered(
    _ frame: consuming Frame, _ settings: PictureSettings, orientation: Orientation = .upright
  ) throws -> Planes {
    var filter = PictureFilter(settings: settings)
    return Planes(try filter.process(frame, orientation: orientation))
  }

  private static let shapes = [(160, 90), (90, 160), (100, 100), (300, 20), (20, 300)]

  @Test(arguments: shapes, [Orientation.upright, .turnClockwise])
  func containShowsAllOfThePictureBetweenCentredBlackBars(_ shape: (Int, Int), _ orientation: Orientation) throws {
    let stream = PictureSize(width: 128, height: 96)
    let result = try filtered(
      try flat([255, 255, 255], width: shape.0, height: shape.1), PictureSettings(size: stream, denoise: 0),
      orientation: orientation)
    #expect(result.size == stream)
    let shown = orientation.displayed(PictureSize(width: shape.0, height: shape.1))
    let scale = min(128 / Double(shown.width), 96 / Double(shown.height))
    let (width, height) = (Double(shown.width) * scale, Double(shown.height) * scale)
    for y in 0..<96 {
      for x in 0..<128 {
        // How far inside of the picture the middle of the pixel lies; less than 3 px from its edge nothing is said.
        let inside = min(width / 2 - abs(Double(x) + 0.5 - 64), height / 2 - abs(Double(y) + 0.5 - 48))
        if inside > 0.4, width < 128 ? inside > 3 : true, height < 96 ? inside > 3 : true {
          #expect(result.luma[x, y] >= 234)
        } else if inside < -3 {
          #expect(result.luma[x, y] == 16)
        }
      }
    }
    #expect((result.blue.samples + result.red.samples).allSatisfy { (127...129).contains($0) })
  }

  @Test(arguments: shapes, [Orientation.upright, .turnClockwise])
  func coverFillsTheStreamWithTheMiddleOfThePicture(_ shape: (Int, Int), _ orientation: Orientation) throws {
    // A ramp of luma along the stored picture's longer side tells which part is shown.
    let (width, height) = shape
    let rgb = painted(width: width, height: height) { x, y in
      let value = UInt8(width >= height ? x * 255 / width : y * 255 / height)
      return [value, value, value]
    }
    let frame = try decoded(
      ForeignProgram.jpeg(rgb, width: width, height: height, ["-quality", "100", "-sample", "1x1"]))
    let stream = PictureSize(width: 128, height: 96)
    let result = try filtered(
      frame, PictureSettings(size: stream, fit: .cover, denoise: 0), orientation: orientation)
    let shown = orientation.displayed(PictureSize(width: width, height: height))
    let middle = mean(result.luma.samples)
    #expect(abs(middle - 125.5) < 4, "the middle")
    // The share of the longer side that is shown, so of the ramp's 219 levels.
    let scale = max(128 / Double(shown.width), 96 / Double(shown.height))
    let visible =
      (width >= height) != orientation.swapsSides
      ? 128 / scale / Double(shown.width) : 96 / scale / Double(shown.height)
    let range = Double(result.luma.samples.max() ?? 0) - Double(result.luma.samples.min() ?? 0)
    #expect(abs(range - 219 * visible) < 8, "\(range) of \(219 * visible)")
  }

  @Test(arguments: Orientation.allCases)
  func theCropIsGivenOnTheUprightPicture(_ orientation: Orientation) throws {
    let file = "good/orientation-\(orientation.rawValue).jpg"
    let jpeg = try Fixture.bytes(of: file)
    // The card's corners: red, green, blue, white. Their luma in limited range.
    let corners: [(UnitRect, Double)] = [
      (UnitRect(x: 0, y: 0, width: 0.15, height: 0.15), 92), (UnitRect(x: 0.85, y: 0, width: 0.15, height: 0.15), 116),
      (UnitRect(x: 0, y: 0.85, width: 0.15, height: 0.15), 62),
      (UnitRect(x: 0.85, y: 0.85, width: 0.15, height: 0.15), 222),
    ]
    for fit in PictureSettings.Fit.allCases {
      for (crop, luma) in corners {
        let settings = PictureSettings(size: PictureSize(width: 64, height: 48), fit: fit, crop: crop, denoise: 0)
        let result = try filtered(try decoded(jpeg), settings, orientation: orientation)
        #expect(abs(mean(result.luma.area(4..<60, 4..<44)) - luma) < 8, "\(crop) \(fit)")
      }
    }
  }

  @Test(arguments: [(1, 1), (1, 300), (300, 1), (2, 3), (17, 9), (65_500, 1), (1, 65_500), (7, 8191)])
  func anySizeFillsTheStreamInEitherFit(_ width: Int, _ height: Int) throws {
    let jpeg = try ForeignProgram.jpeg(
      [UInt8](repeating: 255, count: 3 * width * height), width: width, height: height, ["-quality", "90"])
    for fit in PictureSettings.Fit.allCases {
      for orientation in [Orientation.upright, .transversed] {
        let settings = PictureSettings(
          size: PictureSize(width: 64, height: 48), fit: fit,
          crop: width == 17 ? UnitRect(x: 0.5, y: 0.99, width: 0.001, height: 0.001) : nil)
        let result = try filtered(try decoded(jpeg), settings, orientation: orientation)
        #expect(result.size == settings.size)
        if fit == .cover { #expect(result.luma.samples.allSatisfy { $0 >= 234 }) }
        #expect(result.luma.samples.contains { $0 >= 200 })
      }
    }
  }

  @Test(arguments: ["good/baseline-420.jpg", "good/rgb.jpg", "good/baseline-gray.jpg"])
  func grayHasNoColourAndTheSameLuma(_ file: String) throws {
    let jpeg = try Fixture.bytes(of: file)
    let size = PictureSize(width: 128, height: 96)
    let plain = try filtered(try decoded(jpeg), PictureSettings(size: size, denoise: 0))
    let gray = try filtered(try decoded(jpeg), PictureSettings(size: size, isGray: true, denoise: 0))
    #expect((gray.blue.samples + gray.red.samples).allSatisfy { $0 == 128 })
    #expect(gray.luma == plain.luma)
  }

  @Test func blurTakesDetailAndMoreTakesMore() throws {
    let size = PictureSize(width: 160, height: 120)
    let spreads = try [0, 1, 3, 20, 100].map { blur in
      variance(
        try filtered(
          try grainyStill(size: size, grain: 80, seed: 1), PictureSettings(size: size, blur: blur, denoise: 0)
        ).luma.area(60..<100, 40..<80))
    }
    #expect(spreads[0] > 10 * spreads[2] && spreads[1] < spreads[0] && spreads[2] < spreads[1])
    #expect(spreads[3] < spreads[2])
  }

  @Test func denoisingEvensGrainOutOverTimeAndLeavesDetailAlone() throws {
    let size = PictureSize(width: 160, height: 120)
    var filter = PictureFilter(settings: PictureSettings(size: size, denoise: 6))
    var plain = PictureFilter(settings: PictureSettings(size: size, denoise: 0))
    var last: (smooth: Planes, rough: Planes)?
    var changes: [(Double, Double)] = []
    for seed in 0..<8 as Range<UInt64> {
      let smooth = Planes(
        try filter.process(try grainyStill(size: size, grain: 6, seed: seed), orientation: .upright))
      let rough = Planes(
        try plain.process(try grainyStill(size: size, grain: 6, seed: seed), orientation: .upright))
      if let last {
        changes.append((change(smooth, last.smooth), change(rough, last.rough)))
      } else {
        // The first still has nothing before it: it comes through as it is, sharp.
        #expect(smooth.distance(to: rough) == 0)
      }
      last = (smooth, rough)
    }
    let (smooth, rough) = try #require(changes.last)
    #expect(smooth < rough / 2, "\(changes)")

    let cut = Planes(
      try filter.process(try flat([230, 20, 20], width: 160, height: 120), orientation: .upright))
    let expected = Planes(try plain.process(try flat([230, 20, 20], width: 160, height: 120), orientation: .upright))
    #expect(cut.distance(to: expected) <= 6)
  }

  /// The mean square of the change from one picture to the next.
  private func change(_ now: Planes, _ before: Planes) -> Double {
    var sum = 0
    for (new, old) in zip(now.luma.samples, before.luma.samples) {
      let difference = Int(new) - Int(old)
      sum += difference * difference
    }
    return Double(sum) / Double(now.luma.samples.count)
  }

  @Test func aChangeOfTheCamerasSizeLayoutOrTurnKeepsTheStreamsSize() throws {
    let settings = PictureSettings(size: PictureSize(width: 96, height: 64), fit: .contain)
    var filter = PictureFilter(settings: settings)
    for fixture in Fixture.good where (fixture.width ?? 0) < 1000 {
      let orientation = fixture.orientation.flatMap(Orientation.init) ?? .upright
      let result = try filter.process(try decoded(try fixture.bytes()), orientation: orientation).size
      #expect(result == settings.size, "\(fixture.file)")
    }
    // What came before leaves no trace: the still alone gives the same.
    let jpeg = try Fixture.bytes(of: "good/rgb.jpg")
    let here = Planes(try filter.process(try decoded(jpeg), orientation: .flipped))
    #expect(here == (try filtered(try decoded(jpeg), settings, orientation: .flipped)))
  }

  @Test(arguments: [[], ["-grayscale"]])
  func fullRangeBecomesLimitedRange(_ options: [String]) throws {
    for (value, expected) in [(0, 16), (16, 30), (64, 71), (128, 126), (192, 181), (235, 218), (255, 235)] {
      let byte = UInt8(value)
      let result = try filtered(
        try flat([byte, byte, byte], width: 32, height: 32, options),
        PictureSettings(size: PictureSize(width: 64, height: 64), denoise: 0))
      #expect(result.luma.samples.allSatisfy { abs(Int($0) - expected) <= 1 }, "\(value)")
      #expect((result.blue.samples + result.red.samples).allSatisfy { abs(Int($0) - 128) <= 1 }, "\(value)")
    }
  }
}
