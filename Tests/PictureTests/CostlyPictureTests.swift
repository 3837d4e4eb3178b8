import Ingest
import Media
import NIOCore
import Picture
import TestSupport
import Testing

/// Pictures that take long to decode are known by their markers, and those that take far too long are refused.
@Suite struct CostlyPictureTests {
  private func cost(_ jpeg: ByteBuffer, maxPixels: Int = 40_000_000) throws(StillRefusal) -> Int {
    try JPEGHeader(jpeg, maxPixels: maxPixels).decodingNanoseconds
  }

  @Test func scansAndBytesCountAndNotOnlyPixels() throws {
    let size = PictureSize(width: 1600, height: 1200)
    let plain = try cost(try SampleStill.gray(120, size: size))
    let (few, many) = (SlowStill.make(size: size, scans: 3), SlowStill.make(size: size, scans: 100))
    #expect(try cost(few) < 2 * plain + 20_000_000)
    #expect(try cost(many) > 8 * plain && many.readableBytes < 1_000_000)
    // It is a picture that decodes.
    let frame = try StillDecoder().decode(many, header: try JPEGHeader(many, maxPixels: size.pixels))
    let decoded = frame.size
    #expect(decoded == size)
    // Coded data costs, too: noise more than a plain picture of its size.
    #expect(try cost(try SampleStill.gray(120, size: size, isStriped: true, quality: 100)) > plain)
  }

  @Test func whatCamerasSendIsAllowedAndFarMoreIsNot() throws {
    let size = PictureSize(width: 7000, height: 5000)
    #expect(try cost(SlowStill.make(size: PictureSize(width: 640, height: 480), scans: 100), maxPixels: 307_200) > 0)
    let many = SlowStill.make(size: PictureSize(width: 3000, height: 2000), scans: 100)
    #expect(try cost(many) > 0, "where forty megapixels are allowed, so is this")
    let refused = #expect(throws: StillRefusal.self) { try cost(many, maxPixels: 6_000_000) }
    #expect(refused?.reason == .unsupported && refused?.detail.contains("100 scans") ?? false)
    #expect(throws: StillRefusal.self) { try cost(Self.announcing(size, of: many)) }
  }

  /// The same bytes with another size in their frame header.
  private static func announcing(_ size: PictureSize, of jpeg: ByteBuffer) -> ByteBuffer {
    var jpeg = jpeg
    let frame = jpeg.readableBytesView.indices.first {
      jpeg.getBytes(at: $0, length: 2) == [0xFF, 0xC2]
    }
    if let frame {
      jpeg.setInteger(UInt16(size.height), at: frame + 5)
      jpeg.setInteger(UInt16(size.width), at: frame + 7)
    }
    return jpeg
  }
}
