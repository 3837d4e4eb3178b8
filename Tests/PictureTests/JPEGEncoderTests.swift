import Ingest
import Media
import NIOCore
import Testing

@testable import Picture

@Suite struct JPEGEncoderTests {
  /// The marker segments before the first scan, as kind and payload.
  private func segments(of jpeg: [UInt8]) -> [(kind: UInt8, payload: [UInt8])] {
    var segments: [(UInt8, [UInt8])] = []
    var offset = 2
    while offset + 4 <= jpeg.count, jpeg[offset] == 0xFF {
      let length = Int(jpeg[offset + 2]) << 8 | Int(jpeg[offset + 3])
      segments.append((jpeg[offset + 1], Array(jpeg[offset + 4..<offset + 2 + length])))
      if jpeg[offset + 1] == 0xDA { break }
      offset += 2 + length
    }
    return segments
  }

  /// The quantization tables by number.
  private func tables(of jpeg: [UInt8]) -> [UInt8: [UInt8]] {
    var tables: [UInt8: [UInt8]] = [:]
    for (kind, payload) in segments(of: jpeg) where kind == 0xDB {
      for start in stride(from: 0, to: payload.count, by: 65) {
        tables[payload[start]] = Array(payload[start + 1..<start + 65])
      }
    }
    return tables
  }

  private func jpeg(of frame: borrowing Frame, quality: Int = 75) throws -> [UInt8] {
    var encoder = JPEGEncoder(quality: quality)
    return Array(try encoder.encode(frame).readableBytesView)
  }

  /// The RGB bytes that libjpeg decodes.
  private func djpeg(_ jpeg: [UInt8]) throws -> [UInt8] {
    // "-ppm" makes colour of gray pictures too; the header is three lines.
    let ppm = try ForeignProgram.run(["djpeg", "-rgb", "-ppm", "-dct", "float", "INPUT"], input: jpeg)
    var lines = 0
    let start = try #require(
      ppm.firstIndex { byte in
        lines += byte == 0x0A ? 1 : 0
        return lines == 3
      })
    return Array(ppm[(start + 1)...])
  }

  @Test(arguments: ["good/baseline-420.jpg", "good/metadata-all.jpg", "good/rgb.jpg", "good/baseline-gray.jpg"])
  func noMetadataIsLeftAndNothingIsAddedButJFIF(_ file: String) throws {
    let source = try Fixture.bytes(of: file)
    var filter = PictureFilter(settings: PictureSettings(size: PictureSize(width: 128, height: 96)))
    for jpeg in [
      try jpeg(of: try decoded(source)), try jpeg(of: try filter.process(try decoded(source), orientation: .upright)),
    ] {
      let kinds = segments(of: jpeg).map(\.kind)
      #expect(!kinds.contains { (0xE1...0xEF).contains($0) || $0 == 0xFE })
      #expect(kinds.count { $0 == 0xE0 } <= 1)
      #expect(
        segments(of: jpeg).filter { $0.kind == 0xE0 }.allSatisfy {
          $0.payload.prefix(5) == [0x4A, 0x46, 0x49, 0x46, 0]
        })
      let header = try JPEGHeader(ByteBuffer(bytes: jpeg), maxPixels: 20_000)
      #expect(header.length == jpeg.count && header.components == 3 && !header.isProgressive)
      #expect(try djpeg(jpeg).count == 3 * 128 * 96)
    }
  }

  @Test(arguments: [1, 10, 50, 75, 90, 100])
  func quantizationIsThatOfLibjpegAtTheSameQuality(_ quality: Int) throws {
    let size = PictureSize(width: 32, height: 32)
    let reference = tables(
      of: try ForeignProgram.jpeg(
        [UInt8](repeating: 90, count: 3 * size.pixels), width: size.width, height: size.height,
        ["-baseline", "-quality", "\(quality)"]))
    let own = tables(of: try jpeg(of: try grainyStill(size: size, grain: 9, seed: 1), quality: quality))
    try #require(reference.count == 2)
    for (number, table) in reference {
      let mine = own[number] ?? own[0]
      // FFmpeg codes DC in steps of 8 at any quality.
      #expect(mine?.dropFirst() == table.dropFirst())
      #expect(mine?.first == 8)
    }
  }

  @Test(arguments: ["good/testcard.jpg", "good/baseline-444.jpg"], [240, 720])
  func blackWhiteAndColoursComeBackFromTheStreamsPicture(_ file: String, _ height: Int) throws {
    let fixture = try #require(Fixture.good.first { $0.file == file })
    let shown = try #require(fixture.size)
    let stream = PictureSize(width: height * 4 / 3, height: height)
    var filter = PictureFilter(settings: PictureSettings(size: stream, denoise: 0))
    let frame = try filter.process(try decoded(try fixture.bytes()), orientation: .upright)
    let rgb = try djpeg(try jpeg(of: frame, quality: 95))
    for patch in fixture.patches ?? [] {
      let x = (patch.x + patch.width / 2) * stream.width / shown.width
      let y = (patch.y + patch.height / 2) * stream.height / shown.height
      let found = (0..<3).map { Int(rgb[3 * (y * stream.width + x) + $0]) }
      let tolerance = file.contains("testcard") ? 2 : 8
      #expect(zip(found, patch.rgb).allSatisfy { abs($0 - $1) <= tolerance }, "\(found) for \(patch.rgb)")
    }
  }

  @Test(arguments: ["good/baseline-420.jpg", "good/baseline-422.jpg", "good/baseline-411.jpg", "good/rgb.jpg"])
  func aDecodedStillIsCodedAnewInItsColours(_ file: String) throws {
    let fixture = try #require(Fixture.good.first { $0.file == file })
    let rgb = try djpeg(try jpeg(of: try decoded(try fixture.bytes()), quality: 95))
    for patch in fixture.patches ?? [] {
      let at = 3 * ((patch.y + patch.height / 2) * 128 + patch.x + patch.width / 2)
      let found = rgb[at..<at + 3].map(Int.init)
      #expect(zip(found, patch.rgb).allSatisfy { abs($0 - $1) <= 14 }, "\(found) for \(patch.rgb)")
    }
  }

  @Test func oneEncoderFollowsChangesOfSize() throws {
    var encoder = JPEGEncoder(quality: 60)
    for (width, height) in [(64, 48), (33, 17), (1, 1), (64, 48), (640, 2)] {
      let size = PictureSize(width: width, height: height)
      let jpeg = try encoder.encode(try grainyStill(size: size, grain: 9, seed: 1))
      #expect(try JPEGHeader(jpeg, maxPixels: 10_000).size == size)
      #expect(try djpeg(Array(jpeg.readableBytesView)).count == 3 * size.pixels)
    }
  }
}
