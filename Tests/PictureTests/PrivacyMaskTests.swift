import Ingest
import Media
import NIOCore
import TestSupport
import Testing

@testable import Picture

/// Masks, judged on the upright picture by a polygon test of their own.
@Suite struct PrivacyMaskTests {
  /// 128x96 in every layout that JPEGs decode to.
  static let layouts = ["420", "422", "444", "440", "411", "gray"].map { "good/baseline-\($0).jpg" } + ["good/rgb.jpg"]

  static let shapes: [[UnitPoint]] =
    [
      UnitRect(x: 0.25, y: 0.25, width: 0.5, height: 0.25).corners,
      UnitRect(x: 0.303, y: 0.411, width: 0.377, height: 0.239).corners,
      // At the border, and in the far corner only.
      UnitRect(x: 0, y: 0, width: 0.2, height: 1).corners,
      UnitRect(x: 0.93, y: 0.91, width: 0.07, height: 0.09).corners,
      // Concave: a U and a star that crosses itself.
      points([(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.7, 0.9), (0.7, 0.4), (0.3, 0.4), (0.3, 0.9), (0.1, 0.9)]),
      points([(0.5, 0.05), (0.75, 0.95), (0.1, 0.4), (0.9, 0.4), (0.25, 0.95)]),
      // Thinner than a pixel and between any two scan lines: level, upright, a long tip.
      UnitRect(x: 0.1, y: 0.5011, width: 0.8, height: 0.0004).corners,
      UnitRect(x: 0.5011, y: 0.1, width: 0.0004, height: 0.8).corners,
      points([(0.05, 0.3011), (0.95, 0.3018), (0.05, 0.3024)]),
      // Without any area at all.
      points([(0.2, 0.25), (0.8, 0.25), (0.5, 0.25)]),
    ] + randomShapes

  private static let randomShapes: [[UnitPoint]] = {
    var random = SeededGenerator(seed: 5)
    return (3...8).map { count in
      (0..<count).map { _ in UnitPoint(x: .random(in: 0...1, using: &random), y: .random(in: 0...1, using: &random)) }
    }
  }()

  /// What the shapes cover of a picture of 128x96, upright or turned, judged once for all tests.
  private struct Cover {
    let under: [Bool]
    let near: [Bool]
    /// Chroma mixes with its neighbours when it is brought from the JPEG's grid to the stream's.
    let chromaNear: [Bool]

    init(_ corners: [UnitPoint], size: PictureSize) {
      let polygon = Polygon(corners, width: size.width, height: size.height)
      under = polygon.cover(width: size.width, height: size.height)
      near = polygon.cover(width: size.width, height: size.height, margin: 2.01)
      chromaNear = polygon.cover(width: size.width, height: size.height, margin: 14)
    }
  }

  private static let covers: [PictureSize: [Cover]] = {
    let size = PictureSize(width: 128, height: 96)
    return Dictionary(
      uniqueKeysWithValues: [size, size.turned].map { size in (size, shapes.map { Cover($0, size: size) }) })
  }()

  private static func points(_ pairs: [(Double, Double)]) -> [UnitPoint] { pairs.map { UnitPoint(x: $0.0, y: $0.1) } }

  /// Where EXIF shows the pixel of a stored picture (Exif 2.32, section 4.6.4), as `fixtures/make.py` has it.
  private func shown(_ orientation: Orientation, _ x: Int, _ y: Int, width: Int, height: Int) -> (x: Int, y: Int) {
    let (right, below) = (width - 1 - x, height - 1 - y)
    return switch orientation {
    case .upright: (x, y)
    case .mirrored: (right, y)
    case .upsideDown: (right, below)
    case .flipped: (x, below)
    case .transposed: (y, x)
    case .turnClockwise: (below, x)
    case .transversed: (below, right)
    case .turnCounterclockwise: (y, right)
    }
  }

  private func settings(_ size: PictureSize, masks: [PrivacyMask]) -> PictureSettings {
    PictureSettings(size: size, masks: masks, denoise: 0)
  }

  private static let cases = layouts.flatMap { layout in Orientation.allCases.map { (layout, $0) } }

  @Test(arguments: cases)
  func theAreaIsBlackAndTheRestIsUntouched(_ file: String, _ orientation: Orientation) throws {
    let jpeg = try Fixture.bytes(of: file)
    let size = orientation.displayed(try decoded(jpeg).size)
    var plain = PictureFilter(settings: settings(size, masks: []))
    let before = Planes(try plain.process(try decoded(jpeg), orientation: orientation))
    for index in Self.shapes.indices where (index + Int(orientation.rawValue)) % 4 == 0 {
      let corners = Self.shapes[index]
      var filter = PictureFilter(settings: settings(size, masks: [PrivacyMask(polygon: corners)]))
      let after = Planes(try filter.process(try decoded(jpeg), orientation: orientation))
      let cover = try #require(Self.covers[size]?[index])
      let (under, near) = (cover.under, cover.near)
      try #require(under.contains(true))
      let (luma, lumaBefore) = (after.luma.samples, before.luma.samples)
      let uncovered = under.indices.count { under[$0] && luma[$0] > 17 }
      let spoiled = near.indices.count { !near[$0] && luma[$0] != lumaBefore[$0] }
      #expect(uncovered == 0 && spoiled == 0, "\(corners)")
      let far = [after.blue, after.red].enumerated().reduce(0) { count, entry in
        let (plane, old) = (entry.element, entry.offset == 0 ? before.blue : before.red)
        return count
          + plane.samples.indices.count { index in
            let at = index / plane.width * 2 * size.width + index % plane.width * 2
            return !cover.chromaNear[at] && plane.samples[index] != old.samples[index]
          }
      }
      #expect(far == 0, "\(corners)")
    }
  }

  @Test(arguments: cases)
  func aRectangleIsBlackInEveryLayoutAndTurn(_ file: String, _ orientation: Orientation) throws {
    let jpeg = try Fixture.bytes(of: file)
    let size = orientation.displayed(try decoded(jpeg).size)
    let rectangle = UnitRect(x: 0.1, y: 0.15, width: 0.6, height: 0.7)
    var filter = PictureFilter(settings: settings(size, masks: [PrivacyMask(rectangle: rectangle)]))
    let result = Planes(try filter.process(try decoded(jpeg), orientation: orientation))
    func inner(_ side: Int, _ start: Double, _ length: Double) -> Range<Int> {
      (Int(start * Double(side)) + 9) / 2..<(Int((start + length) * Double(side)) - 9) / 2
    }
    let columns = Int(0.1 * Double(size.width))..<Int((0.7 * Double(size.width)).rounded(.up))
    let rows = Int(0.15 * Double(size.height))..<Int((0.85 * Double(size.height)).rounded(.up))
    #expect(result.luma.area(columns, rows).allSatisfy { $0 <= 17 })
    for plane in [result.blue, result.red] {
      let samples = plane.area(inner(size.width, 0.1, 0.6), inner(size.height, 0.15, 0.7))
      #expect(!samples.isEmpty && samples.allSatisfy { (127...129).contains($0) })
    }
  }

  /// The strongest claim: with every sample under the mask turned from one secret to another, the stream's picture
  /// stays the same to the bit, whatever else is done to it.
  @Test(arguments: cases)
  func nothingUnderAMaskReachesTheStream(_ file: String, _ orientation: Orientation) throws {
    let jpeg = try Fixture.bytes(of: file)
    var random = SeededGenerator(
      seed: UInt64(orientation.rawValue) * 100 + UInt64(file.utf8.reduce(0) { $0 + Int($1) }))
    for _ in 0..<3 {
      let index = Self.shapes.indices.randomElement(using: &random)!
      let corners = Self.shapes[index]
      var settings = PictureSettings(
        size: [
          PictureSize(width: 128, height: 96), PictureSize(width: 62, height: 150), PictureSize(width: 200, height: 90),
        ]
        .randomElement(using: &random)!,
        fit: PictureSettings.Fit.allCases.randomElement(using: &random)!, masks: [PrivacyMask(polygon: corners)],
        isGray: Bool.random(using: &random), blur: Int.random(in: 0...3, using: &random),
        denoise: Int.random(in: 0...6, using: &random))
      if Bool.random(using: &random) {
        settings.crop = UnitRect(
          x: .random(in: 0...0.5, using: &random), y: .random(in: 0...0.5, using: &random),
          width: .random(in: 0.1...0.5, using: &random), height: .random(in: 0.1...0.5, using: &random))
      }
      let results = try [(UInt8(255), UInt8(0)), (0, 255)].map { luma, chroma in
        let frame = try decoded(jpeg)
        hide(luma, chroma, in: frame, under: index, orientation: orientation)
        var filter = PictureFilter(settings: settings)
        return Planes(try filter.process(frame, orientation: orientation))
      }
      #expect(results[0].distance(to: results[1]) == 0, "\(settings)")
    }
  }

  /// Writes the secret into every sample of which the mask touches a pixel.
  private func hide(
    _ luma: UInt8, _ chroma: UInt8, in frame: borrowing Frame, under index: Int, orientation: Orientation
  ) {
    let size = frame.size
    let upright = orientation.displayed(size)
    guard let cover = Self.covers[upright]?[index].under else { return }
    for plane in 0..<3 {
      frame.withPlane(plane) { view in
        guard view.width > 0 else { return }
        let (across, down) = (size.width / view.width, size.height / view.height)
        for y in 0..<size.height {
          for x in 0..<size.width {
            let at = shown(orientation, x, y, width: size.width, height: size.height)
            if cover[at.y * upright.width + at.x] { view.row(y / down)[x / across] = plane == 0 ? luma : chroma }
          }
        }
      }
    }
  }

  /// The same with JPEGs as a camera codes them: full chroma and whole blocks, so that the codec mixes nothing across
  /// the edge of the mask either.
  @Test(arguments: [["-sample", "1x1"], ["-rgb"]])
  func twoSecretsInBlocksOfAJPEGLookTheSame(_ options: [String]) throws {
    let (width, height) = (160, 120)
    let jpegs = try [UInt8(0), 255].map { secret in
      var rgb = [UInt8](repeating: 0, count: 3 * width * height)
      for y in 0..<height {
        for x in 0..<width {
          let hidden = (40..<96).contains(x) && (32..<80).contains(y)
          for channel in 0..<3 {
            rgb[3 * (y * width + x) + channel] = hidden ? secret : UInt8((x * (channel + 1) + y * 2) % 256)
          }
        }
      }
      return try ForeignProgram.jpeg(rgb, width: width, height: height, ["-quality", "60"] + options)
    }
    try #require(jpegs[0] != jpegs[1])
    // A quarter turn clockwise brings the stored columns 40..<96 to rows and the rows 32..<80 to columns 40..<88.
    let mask = PrivacyMask(rectangle: UnitRect(x: 40 / 120, y: 40 / 160, width: 48 / 120, height: 56 / 160))
    let results = try jpegs.map { jpeg in
      var filter = PictureFilter(settings: settings(PictureSize(width: 96, height: 96), masks: [mask]))
      return Planes(try filter.process(try decoded(jpeg), orientation: .turnClockwise))
    }
    #expect(results[0].distance(to: results[1]) <= 2)
    let bare = try jpegs.map { jpeg in
      var filter = PictureFilter(settings: settings(PictureSize(width: 96, height: 96), masks: []))
      return Planes(try filter.process(try decoded(jpeg), orientation: .upright))
    }
    #expect(bare[0].distance(to: bare[1]) > 150)
  }

  @Test func aMaskCoversTheSamePlaceWhenTheCameraChangesItsResolution() throws {
    let rectangle = UnitRect(x: 0.5, y: 0.5, width: 0.25, height: 0.25)
    let stream = PictureSize(width: 160, height: 120)
    var filter = PictureFilter(settings: settings(stream, masks: [PrivacyMask(rectangle: rectangle)]))
    for file in ["good/baseline-420.jpg", "good/esp32cam.jpg", "good/size-127x95.jpg", "good/baseline-422.jpg"] {
      let result = Planes(try filter.process(try decoded(try Fixture.bytes(of: file)), orientation: .upright))
      // Scaling rings a little at the mask's edge.
      #expect(result.luma.area(84..<116, 64..<86).allSatisfy { $0 <= 17 }, "\(file)")
      #expect(result.luma.area(72..<76, 60..<90).allSatisfy { $0 > 30 }, "\(file)")
      #expect(result.luma.area(126..<130, 60..<90).allSatisfy { $0 > 30 }, "\(file)")
    }
  }

  @Test func everyMaskOfSeveralCounts() throws {
    let masks = [
      UnitRect(x: 0, y: 0, width: 0.25, height: 0.25), UnitRect(x: 0.75, y: 0.75, width: 0.25, height: 0.25),
    ].map(PrivacyMask.init(rectangle:))
    var filter = PictureFilter(settings: settings(PictureSize(width: 128, height: 96), masks: masks))
    let result = Planes(
      try filter.process(try decoded(try Fixture.bytes(of: "good/baseline-444.jpg")), orientation: .upright))
    #expect(result.luma.area(0..<32, 0..<24).allSatisfy { $0 == 16 })
    #expect(result.luma.area(96..<128, 72..<96).allSatisfy { $0 == 16 })
    #expect(result.luma.area(104..<124, 4..<16).allSatisfy { $0 > 90 })
  }

  @Test func aPictureThatCannotBeMaskedIsNotShown() throws {
    let size = PictureSize(width: 64, height: 64)
    var filter = PictureFilter(
      settings: settings(size, masks: [PrivacyMask(rectangle: UnitRect(x: 0, y: 0, width: 0.5, height: 0.5))]))
    let error = #expect(throws: FFmpegError.self) {
      let packed = try Frame.rgb([UInt8](repeating: 255, count: 3 * size.pixels), size: size)
      _ = try filter.process(packed, orientation: .upright).size
    }
    #expect(error?.code == FFmpegError.unsupported)
  }
}
