import Ingest
import Media
import NIOCore
import Testing

@testable import Picture

@Suite struct FixtureTests {
  @Test func theManifestIsThere() {
    #expect(Fixture.all.count > 100)
    #expect(Fixture.all.contains { $0.stage == "decode" && $0.silent != true })
  }

  @Test(arguments: Fixture.all.filter { $0.stage == "check" })
  func theHeaderRefusesForTheReasonOfTheManifest(_ fixture: Fixture) throws {
    let buffer = ByteBuffer(bytes: try fixture.bytes())
    let refusal = #expect(throws: StillRefusal.self) { try JPEGHeader(buffer, maxPixels: 40_000_000) }
    #expect(refusal?.reason.rawValue == fixture.reason)
    #expect(refusal?.detail.isEmpty == false)
  }

  @Test(arguments: Fixture.all.filter { $0.stage == "decode" })
  func theDecoderRefusesWhatTheHeaderCannotSee(_ fixture: Fixture) throws {
    let buffer = ByteBuffer(bytes: try fixture.bytes())
    let header = try JPEGHeader(buffer, maxPixels: 40_000_000)
    #expect(header.orientation.displayed(header.size) == fixture.size)
    guard fixture.silent != true else {
      let size = try? StillDecoder().decode(buffer, header: header).size
      #expect(size == nil || size == header.size)
      return
    }
    let refusal = #expect(throws: StillRefusal.self) { _ = try StillDecoder().decode(buffer, header: header).size }
    #expect(refusal?.reason.rawValue == fixture.reason)
  }

  @Test(arguments: Fixture.good)
  func theHeaderSaysWhatTheManifestSays(_ fixture: Fixture) throws {
    let header = try JPEGHeader(ByteBuffer(bytes: try fixture.bytes()), maxPixels: 40_000_000)
    #expect(header.orientation.displayed(header.size) == fixture.size)
    #expect(header.length == fixture.length)
    #expect(header.orientation.rawValue == fixture.orientation)
    #expect(header.components == fixture.components)
    #expect(header.isProgressive == fixture.progressive)
  }

  @Test(arguments: Fixture.good)
  func goodStillsDecodeAndStandUprightInTheirColours(_ fixture: Fixture) throws {
    let buffer = ByteBuffer(bytes: try fixture.bytes())
    let header = try JPEGHeader(buffer, maxPixels: 40_000_000)
    let frame = try StillDecoder().decode(buffer, header: header)
    let decodedSize = frame.size
    #expect(decodedSize == header.size)
    let shown = try #require(fixture.size)
    var stream = PictureSize(width: max(32, (shown.width + 1) / 2 * 2), height: max(32, (shown.height + 1) / 2 * 2))
    if shown.width > 1000 { stream = PictureSize(width: 400, height: 300) }
    var filter = PictureFilter(settings: PictureSettings(size: stream, denoise: 0))
    let result = Planes(try filter.process(frame, orientation: header.orientation))
    #expect(result.size == stream)
    for patch in fixture.patches ?? [] {
      func scaled(_ start: Int, _ length: Int, from side: Int, to target: Int) -> Range<Int> {
        let inset = length * target / side > 12 ? 2 : 0
        return start * target / side + inset..<(start + length) * target / side - inset
      }
      let columns = scaled(patch.x, patch.width, from: shown.width, to: stream.width)
      let rows = scaled(patch.y, patch.height, from: shown.height, to: stream.height)
      try expect(result, columns, rows, rgb: patch.rgb.map(Double.init), tolerance: Double(fixture.tolerance ?? 12))
    }
  }

  /// Limited-range BT.601 of the colour, everywhere in the area: luma in every sample, chroma on average and away from
  /// the area's edges, where coarse chroma mixes with the surroundings.
  private func expect(
    _ planes: Planes, _ columns: Range<Int>, _ rows: Range<Int>, rgb: [Double], tolerance: Double
  ) throws {
    let luma = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]
    let expected = 16 + luma * 219 / 255
    let samples = planes.luma.area(columns, rows)
    try #require(!samples.isEmpty)
    let farthest = samples.map { abs(Double($0) - expected) }.max() ?? 0
    #expect(farthest <= tolerance * 219 / 255 + 1, "luma in \(columns), \(rows) of \(rgb)")
    #expect(abs(mean(samples) - expected) <= tolerance / 4 + 1, "luma in \(columns), \(rows) of \(rgb)")
    let inner = (
      (columns.lowerBound + 4) / 2..<(columns.upperBound - 4) / 2, (rows.lowerBound + 4) / 2..<(rows.upperBound - 4) / 2
    )
    let (blue, red) = ((rgb[2] - luma) / 1.772, (rgb[0] - luma) / 1.402)
    for (plane, value) in [(planes.blue, blue), (planes.red, red)] {
      let average = mean(plane.area(inner.0, inner.1))
      #expect(abs(average - (128 + value * 224 / 255)) <= tolerance / 3 + 1, "chroma in \(columns), \(rows) of \(rgb)")
    }
  }
}
