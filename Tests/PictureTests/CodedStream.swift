import Ingest
import Media
import NIOCore
import TestSupport
import Testing

@testable import Picture

/// A run of pictures from a `PictureEncoder`, and what a foreign decoder makes of it.
struct CodedStream {
  let size: PictureSize
  private(set) var pictures: [CodedPicture] = []
  private(set) var parameterSets: ParameterSets?

  init(size: PictureSize) { self.size = size }

  /// Codes a picture and keeps it.
  mutating func add(
    _ frame: borrowing Frame, as role: PictureEncoder.Role, with encoder: inout PictureEncoder
  ) throws {
    pictures.append(try encoder.encode(frame, as: role))
    parameterSets = encoder.parameterSets
  }

  /// The NAL units of one picture, by the lengths before them.
  static func units(of picture: CodedPicture) throws -> [[UInt8]] {
    var bytes = picture.bytes
    var units: [[UInt8]] = []
    while let length = bytes.readInteger(as: UInt32.self) {
      let unit = bytes.readBytes(length: Int(length))
      units.append(try #require(unit))
    }
    #expect(bytes.readableBytes == 0)
    return units
  }

  /// The stream with start codes.
  func annexB() throws -> [UInt8] { try pictures.flatMap { try Self.units(of: $0).flatMap { [0, 0, 0, 1] + $0 } } }

  /// The pictures as the ffmpeg program decodes them, in `yuv420p`.
  func decoded() throws -> [Planes] {
    let raw = try ForeignProgram.run(
      ["ffmpeg", "-v", "error", "-f", "h264", "-i", "INPUT", "-fps_mode", "passthrough", "-f", "rawvideo", "-"],
      input: annexB())
    let count = size.pixels * 3 / 2
    try #require(raw.count == pictures.count * count)
    return pictures.indices.map { Planes(yuv420p: raw[$0 * count..<($0 + 1) * count], size: size) }
  }
}

/// A still of grain around a slow gradient, as a camera sees a wall at night; each `seed` is another moment.
func grainyStill(size: PictureSize, grain: Int, seed: UInt64) throws -> Frame {
  var random = SeededGenerator(seed: seed)
  let count = 3 * size.pixels
  // Plain loops over plain memory: it has to be quick without optimization too.
  let rgb = [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
    let span = UInt64(2 * grain + 1)
    var (x, y, index) = (0, 0, 0)
    while index < count {
      var value = 60 + 100 * x / size.width + 40 * y / size.height
      if grain > 0 { value += Int(random.next() % span) - grain }
      value = value < 0 ? 0 : value > 255 ? 255 : value
      let byte = UInt8(truncatingIfNeeded: value)
      bytes[index] = byte
      bytes[index + 1] = byte
      bytes[index + 2] = byte
      index += 3
      x += 1
      if x == size.width { (x, y) = (0, y + 1) }
    }
    initialized = count
  }
  return try Frame.rgb(rgb, size: size)
}

/// The same brought to the stream.
func grainyPicture(size: PictureSize, grain: Int, seed: UInt64) throws -> Frame {
  var filter = PictureFilter(settings: PictureSettings(size: size, denoise: 0))
  return try filter.process(try grainyStill(size: size, grain: grain, seed: seed), orientation: .upright)
}
