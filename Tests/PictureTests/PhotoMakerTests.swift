import Ingest
import Media
import NIOCore
import Testing

@testable import Picture

@Suite struct PhotoMakerTests {
  private static let limit = PictureSize(width: 192, height: 128)
  private static let stream = PictureSize(width: 96, height: 64)

  private func still(_ size: PictureSize) throws -> ByteBuffer {
    let rgb = painted(width: size.width, height: size.height) { _, _ in [200, 60, 60] }
    return ByteBuffer(bytes: try ForeignProgram.jpeg(rgb, width: size.width, height: size.height, ["-quality", "95"]))
  }

  private func photo(
    _ jpeg: ByteBuffer, _ settings: PictureSettings = PictureSettings(size: stream), limit: PictureSize? = limit
  ) throws -> (photo: Photo, picture: Planes)? {
    let header = try JPEGHeader(jpeg, maxPixels: .max)
    var maker = PhotoMaker(settings: settings, limit: limit, quality: 90)
    let reduction = maker.reduction(of: header)
    let frame = try StillDecoder().decode(jpeg, header: header, reduction: reduction)
    guard let photo = try maker.photo(of: frame, header: header, reduction: reduction) else { return nil }
    let made = try JPEGHeader(photo.jpeg, maxPixels: .max)
    #expect(made.size == photo.size && made.length == photo.jpeg.readableBytes)
    return (photo, Planes(try StillDecoder().decode(photo.jpeg, header: made)))
  }

  @Test(arguments: [
    ("384x256", "192x128"), ("1200x800", "192x128"), ("1000x100", "192x18"), ("100x1000", "12x128"),
    ("192x128", "192x128"), ("120x80", "120x80"), ("97x65", nil), ("96x64", nil), ("40x30", nil), ("150x50", "150x50"),
  ])
  func aPhotoIsAsLargeAsTheStillWithinTheLimitAndLargerThanTheStream(_ still: String, _ photo: String?) throws {
    let made = try self.photo(try self.still(try #require(PictureSize(still))))
    #expect(made?.photo.size.description == photo)
  }

  @Test func noneIsMadeWithoutALimitOrWithOneBelowTheStream() throws {
    let jpeg = try still(PictureSize(width: 384, height: 256))
    #expect(try photo(jpeg, limit: nil) == nil)
    #expect(try photo(jpeg, limit: PictureSize(width: 96, height: 64)) == nil)
  }

  @Test func cropAndCoverDecideWhatIsShown() throws {
    let jpeg = try still(PictureSize(width: 384, height: 256))
    let crop = UnitRect(x: 0, y: 0, width: 0.5, height: 1)
    #expect(try photo(jpeg, PictureSettings(size: Self.stream, crop: crop))?.photo.size.description == "96x128")
    let square = PictureSettings(size: PictureSize(width: 64, height: 64), fit: .cover)
    #expect(try photo(jpeg, square)?.photo.size.description == "128x128")
  }

  /// A still of many pixels is decoded at a fraction of its size, and the mask has to cover all the same.
  @Test(arguments: [PictureSize(width: 384, height: 256), PictureSize(width: 1200, height: 800)])
  func nothingShowsThroughAMask(_ size: PictureSize) throws {
    let mask = PrivacyMask(rectangle: UnitRect(x: 0.25, y: 0.25, width: 0.5, height: 0.5))
    let made = try #require(try photo(try still(size), PictureSettings(size: Self.stream, masks: [mask])))
    let luma = made.picture.luma
    let (width, height) = (made.photo.size.width, made.photo.size.height)
    var brightest: UInt8 = 0
    for y in height / 4 + 2..<height * 3 / 4 - 2 {
      for x in width / 4 + 2..<width * 3 / 4 - 2 { brightest = max(brightest, luma.samples[y * width + x]) }
    }
    #expect(brightest < 12)
    #expect(luma.samples[3 * width + 3] > 60)
  }

  @Test func theSameMakerTakesStillsOfAllSizes() throws {
    var maker = PhotoMaker(settings: PictureSettings(size: Self.stream), limit: Self.limit, quality: 90)
    for size in ["384x256", "96x64", "256x384", "1200x800", "384x256"] {
      let jpeg = try still(try #require(PictureSize(size)))
      let header = try JPEGHeader(jpeg, maxPixels: .max)
      let reduction = maker.reduction(of: header)
      let frame = try StillDecoder().decode(jpeg, header: header, reduction: reduction)
      let photo = try maker.photo(of: frame, header: header, reduction: reduction)
      #expect((photo == nil) == (size == "96x64"))
    }
  }
}
