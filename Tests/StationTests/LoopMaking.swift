import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import Testing

@testable import Station

/// Makes small loops of striped stills, and opens them.
protocol LoopMaking {}

extension LoopMaking {
  var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

  func settings(_ change: (inout CameraSettings) throws -> Void = { _ in }) throws -> CameraSettings {
    var settings = CameraSettings(
      name: try #require(CameraName("desk")),
      picture: PictureSettings(size: PictureSize(width: 160, height: 120), denoise: 0),
      encoder: EncoderSettings(preset: .ultrafast),
      timeline: try TimelineSettings(rate: 2, part: .seconds(1), segment: .seconds(4)))
    try change(&settings)
    return settings
  }

  func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "quietcam-test-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  /// A still of stripes around one luma.
  func still(gray: Int) throws -> ByteBuffer {
    let size = PictureSize(width: 160, height: 120)
    let rows = (0..<3 * size.width).map { UInt8(clamping: gray + ($0 / 9 % 2) * 40 - 20) }
    let pixels = Array([[UInt8]](repeating: rows, count: size.height).joined())
    var encoder = JPEGEncoder(quality: 90)
    return try encoder.encode(try Frame.rgb(pixels, size: size))
  }

  var grays: [Int] { [40, 90, 140, 190, 230] }

  /// A loop of five stills, one each second and a half: two segments of eight pictures.
  @discardableResult
  func make(in folder: String, _ settings: CameraSettings, path: String = "/stills") throws -> LoopMaker.Product {
    var maker = try LoopMaker.open(folder: folder, settings: settings, logger: logger)
    for (index, gray) in grays.enumerated() {
      if index > 0 { try maker.hold(until: .milliseconds(1500) * Int64(index)) }
      try maker.append(try still(gray: gray))
    }
    return try maker.finish(source: LoopSource(kind: .stills, path: path), made: .now)
  }

  func parameterSets(_ settings: CameraSettings) throws -> ParameterSets {
    var line = try PictureLine.open(settings, logger: logger)
    _ = try line.encode(.idr)
    let sets = line.parameterSets
    return try #require(sets)
  }

  func open(_ folder: String, _ settings: CameraSettings) throws -> Loop? {
    Loop.open(folder: folder, settings: settings, parameterSets: try parameterSets(settings), logger: logger)
  }
}
