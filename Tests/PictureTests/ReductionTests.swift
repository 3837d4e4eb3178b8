import Ingest
import Media
import NIOCore
import Testing

@testable import Picture

/// Decoding at a half, a quarter or an eighth of the size.
@Suite struct ReductionTests {
  static let kinds = [
    ["-sample", "1x1"], ["-sample", "2x1"], ["-sample", "2x2"], ["-grayscale"],
    ["-sample", "2x2", "-progressive"], ["-sample", "1x1", "-progressive"],
  ]

  /// A picture of soft blobs, which every way of making it smaller shows alike.
  private func soft(_ width: Int, _ height: Int, _ options: [String]) throws -> ByteBuffer {
    let rgb = painted(width: width, height: height) { x, y in
      [UInt8(128 + 100 * wave(x, 96)), UInt8(128 + 100 * wave(y, 80)), UInt8(128 + 100 * wave(x + y, 120))]
    }
    return ByteBuffer(bytes: try ForeignProgram.jpeg(rgb, width: width, height: height, ["-quality", "95"] + options))
  }

  private func wave(_ position: Int, _ length: Int) -> Double {
    let phase = Double(position % length) / Double(length)
    return 1 - 16 * (phase - 0.5) * (phase - 0.5) * (phase < 0.5 ? phase * 2 : 2 - phase * 2)
  }

  private func shown(_ jpeg: ByteBuffer, _ settings: PictureSettings, _ reduction: Int, masksAsIf: Int? = nil) throws
    -> Planes
  {
    let header = try JPEGHeader(jpeg, maxPixels: .max)
    var filter = PictureFilter(settings: settings)
    let frame = try StillDecoder().decode(jpeg, header: header, reduction: reduction)
    return Planes(try filter.process(frame, orientation: header.orientation, reduction: masksAsIf ?? reduction))
  }

  @Test(arguments: kinds, [1, 2, 3])
  func aReducedPictureLooksLikeTheFullOne(_ options: [String], _ reduction: Int) throws {
    let jpeg = try soft(1203, 805, options)
    #expect(try JPEGHeader(jpeg, maxPixels: .max).mayBeReduced)
    let settings = PictureSettings(size: PictureSize(width: 96, height: 64), denoise: 0)
    let (full, reduced) = (try shown(jpeg, settings, 0), try shown(jpeg, settings, reduction))
    for (left, right) in zip(
      [full.luma, full.blue, full.red], [reduced.luma, reduced.blue, reduced.red])
    {
      let differences = zip(left.samples, right.samples).map { abs(Int($0) - Int($1)) }
      #expect(differences.reduce(0, +) <= 4 * differences.count, "\(differences.max() ?? 0) at most")
    }
  }

  @Test func theSidesAreRoundedUp() throws {
    let jpeg = try soft(203, 101, ["-sample", "2x2"])
    let header = try JPEGHeader(jpeg, maxPixels: .max)
    for (reduction, sides) in [(203, 101), (102, 51), (51, 26), (26, 13)].enumerated() {
      let size = try StillDecoder().decode(jpeg, header: header, reduction: reduction).size
      #expect(size == PictureSize(width: sides.0, height: sides.1))
    }
  }

  @Test(arguments: Fixture.good)
  func everyGoodStillComesOutSmallToo(_ fixture: Fixture) throws {
    let jpeg = ByteBuffer(bytes: try fixture.bytes())
    let header = try JPEGHeader(jpeg, maxPixels: .max)
    let settings = PictureSettings(size: PictureSize(width: 32, height: 32), denoise: 0)
    let reduction = PictureFilter(settings: settings).reduction(of: header)
    #expect(header.mayBeReduced || reduction == 0)
    let difference = zip(
      try shown(jpeg, settings, 0).luma.samples, try shown(jpeg, settings, reduction).luma.samples
    ).map { abs(Int($0) - Int($1)) }.reduce(0, +)
    #expect(difference <= 6 * 32 * 32)
  }

  @Test func asMuchAsTheStreamCanSpare() throws {
    let jpeg = try soft(1200, 800, ["-sample", "2x2"])
    let header = try JPEGHeader(jpeg, maxPixels: .max)
    func reduction(_ width: Int, _ height: Int, crop: UnitRect? = nil, fit: PictureSettings.Fit = .contain) -> Int {
      PictureFilter(
        settings: PictureSettings(size: PictureSize(width: width, height: height), fit: fit, crop: crop)
      ).reduction(of: header)
    }
    #expect(reduction(96, 64) == 3)
    #expect(reduction(102, 68) == 2)
    #expect(reduction(200, 132) == 2)
    #expect(reduction(204, 136) == 1)
    #expect(reduction(400, 266) == 1)
    #expect(reduction(402, 268) == 0)
    #expect(reduction(1200, 800) == 0 && reduction(2400, 1600) == 0)
    #expect(reduction(200, 132, crop: UnitRect(x: 0.25, y: 0.25, width: 0.5, height: 0.5)) == 0)
    #expect(reduction(90, 60, crop: UnitRect(x: 0.25, y: 0.25, width: 0.5, height: 0.5)) == 2)
    #expect(reduction(190, 190) == 2 && reduction(190, 190, fit: .cover) == 1)
  }

  /// A gray picture with a chequered area, and the same without it.
  private func pair(_ area: (x: Range<Int>, y: Range<Int>), _ options: [String]) throws -> (ByteBuffer, ByteBuffer) {
    let made = try [true, false].map { isThere in
      let rgb = painted(width: 400, height: 304) { x, y in
        guard isThere, area.x.contains(x), area.y.contains(y) else { return [90, 120, 150] }
        return (x + y) % 3 == 0 ? [255, 255, 0] : [255, 0, 255]
      }
      return ByteBuffer(bytes: try ForeignProgram.jpeg(rgb, width: 400, height: 304, ["-quality", "100"] + options))
    }
    return (made[0], made[1])
  }

  @Test(arguments: kinds.filter { $0 != ["-grayscale"] }, [1, 2, 3])
  func nothingBehindAMaskGetsOutOfItsBlocks(_ options: [String], _ reduction: Int) throws {
    let area = (x: 101..<203, y: 75..<157)
    let (secret, plain) = try pair(area, options)
    var settings = PictureSettings(size: PictureSize(width: 50, height: 38), denoise: 0)
    settings.masks = [
      PrivacyMask(rectangle: UnitRect(x: 101 / 400, y: 75 / 304, width: 102 / 400, height: 82 / 304))
    ]
    let (left, right) = (try shown(secret, settings, reduction), try shown(plain, settings, reduction))
    #expect(left.luma.samples == right.luma.samples)
    #expect(left.blue.samples == right.blue.samples && left.red.samples == right.red.samples)
    guard reduction == 1 else { return }  // Further down the margin around a mask covers these blocks by itself.
    // The other way round: were only the pixels under the mask covered, something would be seen.
    settings.size = PictureSize(width: 400 >> reduction, height: 304 >> reduction)
    let naive = try shown(secret, settings, reduction, masksAsIf: 0)
    #expect(naive.luma.samples != (try shown(plain, settings, reduction, masksAsIf: 0)).luma.samples)
  }

  @Test(arguments: kinds.filter { $0 != ["-grayscale"] }, [1, 2, 3])
  func nothingOutsideOfACropGetsIntoIt(_ options: [String], _ reduction: Int) throws {
    let (secret, plain) = try pair((x: 0..<101, y: 0..<304), options)
    let settings = PictureSettings(
      size: PictureSize(width: 32, height: 32), fit: .cover,
      crop: UnitRect(x: 101 / 400, y: 0, width: 299 / 400, height: 1), denoise: 0)
    let (left, right) = (try shown(secret, settings, reduction), try shown(plain, settings, reduction))
    #expect(left.luma.samples == right.luma.samples)
    #expect(left.blue.samples == right.blue.samples && left.red.samples == right.red.samples)
  }
}
