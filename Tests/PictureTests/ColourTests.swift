import Ingest
import Media
import NIOCore
import Testing

@testable import Picture

/// Colours from the camera's JPEG to a viewer's screen, with ffmpeg as the viewer.
@Suite struct ColourTests {
  private static let colours: [[UInt8]] = [
    [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255], [0, 0, 0], [255, 255, 255],
    [200, 120, 80], [40, 90, 160], [128, 128, 128], [70, 160, 60],
  ]

  /// 601 up to 576 lines, 709 above: players that see no tags guess so too.
  @Test(
    arguments: [
      PictureSize(width: 320, height: 240), PictureSize(width: 768, height: 576), PictureSize(width: 770, height: 578),
      PictureSize(width: 1280, height: 720),
    ], [["-sample", "1x1"], ["-rgb"]])
  func aViewerSeesTheColoursOfTheStill(_ stream: PictureSize, _ options: [String]) throws {
    let (width, height) = (256, 192)
    // Four columns of three patches.
    let rgb = painted(width: width, height: height) { x, y in Self.colours[y / 64 * 4 + x / 64] }
    let jpeg = try ForeignProgram.jpeg(rgb, width: width, height: height, ["-quality", "100"] + options)
    var filter = PictureFilter(settings: PictureSettings(size: stream, fit: .cover, denoise: 0))
    var crop = PictureSize(width: width, height: height)
    if stream.width * 3 < stream.height * 4 { crop.width = 192 * stream.width / stream.height }
    if stream.width * 3 > stream.height * 4 { crop.height = 256 * stream.height / stream.width }
    let frame = try filter.process(try decoded(jpeg), orientation: .upright)
    var encoder = try PictureEncoder(
      settings: EncoderSettings(preset: .ultrafast, crf: 1, maxKilobits: 100_000), size: stream, step: .seconds(1),
      rateWindow: .seconds(4))
    var coded = CodedStream(size: stream)
    try coded.add(frame, as: .idr, with: &encoder)
    let shown = try ForeignProgram.run(
      [
        "ffmpeg", "-v", "error", "-f", "h264", "-i", "INPUT", "-vf", "scale=flags=accurate_rnd+full_chroma_int",
        "-pix_fmt", "rgb24", "-f", "rawvideo", "-",
      ], input: coded.annexB())
    try #require(shown.count == 3 * stream.pixels)
    var seen = 0
    for (index, colour) in Self.colours.enumerated() {
      // The middle of the patch, in the still and in the stream, if it is not cut off.
      let (x, y) = (index % 4 * 64 + 32, index / 4 * 64 + 32)
      let across = (x - (width - crop.width) / 2) * stream.width / crop.width
      let down = (y - (height - crop.height) / 2) * stream.height / crop.height
      guard (8..<stream.width - 8).contains(across), (8..<stream.height - 8).contains(down) else { continue }
      seen += 1
      let found = (0..<3).map { Int(shown[3 * (down * stream.width + across) + $0]) }
      #expect(zip(found, colour).allSatisfy { abs($0 - Int($1)) <= 6 }, "\(found) for \(colour)")
    }
    #expect(seen >= 3)
  }

  /// The door lets no sampling in that the decoder does not know.
  @Test func theDecoderKnowsEverySamplingThatTheDoorLetsIn() throws {
    let jpeg = try ForeignProgram.jpeg(
      painted(width: 64, height: 48) { _, _ in [90, 120, 200] }, width: 64, height: 48, ["-sample", "1x1"])
    let header = try JPEGHeader(ByteBuffer(bytes: jpeg), maxPixels: 10_000)
    let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
    for samplings in JPEGSampling.known {
      var bytes = jpeg
      for (index, sampling) in samplings.enumerated() { bytes[frame + 11 + 3 * index] = sampling }
      // There are not as many blocks as these factors want, which the decoder notices after it has taken them.
      do throws(StillRefusal) {
        _ = try StillDecoder().decode(ByteBuffer(bytes: bytes), header: header).size
      } catch { #expect(error.reason == .corrupt, "\(samplings): \(error)") }
    }
    #expect(!JPEGSampling.decodes([0x11, 0x12, 0x12]) && JPEGSampling.decodes([0x44]))
  }

  /// Luma against chroma, as far as an interleaved scan holds it (ITU-T T.81, section B.2.3).
  private static let samplings = [
    "1x1", "1x2", "1x3", "1x4", "2x1", "2x2", "2x3", "2x4", "3x1", "3x2", "4x1", "4x2",
  ]

  /// JPEG allows more samplings than the decoder knows: those are refused, not shown wrongly.
  @Test(arguments: samplings, [[], ["-progressive"], ["-rgb"], ["-rgb", "-progressive"]])
  func anySamplingIsShownInItsColoursOrRefused(_ sampling: String, _ options: [String]) throws {
    let size = PictureSize(width: 256, height: 192)
    let rgb = painted(width: size.width, height: size.height) { x, y in Self.colours[y / 64 * 4 + x / 64] }
    let jpeg = try ForeignProgram.jpeg(
      rgb, width: size.width, height: size.height, ["-quality", "95"] + options + ["-sample", sampling])
    let frame: Frame
    do throws(StillRefusal) {
      let buffer = ByteBuffer(bytes: jpeg)
      frame = try StillDecoder().decode(buffer, header: JPEGHeader(buffer, maxPixels: size.pixels))
    } catch {
      #expect(error.reason == .unsupported)
      #expect(!["1x1", "2x1", "2x2"].contains(sampling) || options.contains("-rgb"))
      return
    }
    let settings = PictureSettings(
      size: size, masks: [PrivacyMask(rectangle: UnitRect(x: 0, y: 0, width: 0.25, height: 0.25))], denoise: 0)
    var filter = PictureFilter(settings: settings)
    let shown = Planes(try filter.process(frame, orientation: .upright))
    #expect(shown.luma.area(0..<64, 0..<48).allSatisfy { $0 <= 17 })
    for (index, colour) in Self.colours.enumerated() where index > 0 {
      let (x, y) = (index % 4 * 64 + 32, index / 4 * 64 + 32)
      let (red, green, blue) = (Double(colour[0]), Double(colour[1]), Double(colour[2]))
      let luma = 0.299 * red + 0.587 * green + 0.114 * blue
      let expected = [
        16 + luma * 219 / 255, 128 + (blue - luma) / 1.772 * 224 / 255, 128 + (red - luma) / 1.402 * 224 / 255,
      ]
      let found = [shown.luma[x, y], shown.blue[x / 2, y / 2], shown.red[x / 2, y / 2]]
      #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) <= 6 }, "\(found) for \(colour)")
    }
  }
}
