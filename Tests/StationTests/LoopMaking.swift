import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import TestSupport
import Testing

@testable import Station

/// Makes small loops of striped stills, and opens them.
protocol LoopMaking {}

extension LoopMaking {
  var logger: Logger { .silent }

  func settings(_ change: (inout CameraSettings) throws -> Void = { _ in }) throws -> CameraSettings {
    var settings = try CameraSettings.sample()
    try change(&settings)
    return settings
  }

  /// A still of stripes around one luma.
  func still(gray: Int) throws -> ByteBuffer { try SampleStill.gray(gray, isStriped: true) }

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
