import Logging
import Media
import NIOCore
import Packager
import Picture

/// The loop of a camera: whole segments, encoded in advance with the camera's own settings.
package struct Loop: Sendable {
  private enum Content: Sendable {
    case memory([LoopSegment])
    case stored(StoredLoop)
  }

  private let content: Content
  /// The parameter sets of all its pictures.
  package let parameterSets: ParameterSets
  /// Whether it is the slate, because the operator made no loop.
  package let isBuiltIn: Bool

  /// How many segments it has, at least one.
  package var count: Int {
    switch content {
    case .memory(let segments): segments.count
    case .stored(let loop): loop.count
    }
  }

  /// One of the segments. A stored one is read from disk each time, blocking, so that a loop of an hour costs no
  /// memory.
  ///
  /// - Precondition: `index` is at least 0 and below `count`.
  /// - Throws: why it cannot be read: the files are damaged, gone, or replaced by another loop.
  package func segment(_ index: Int) throws -> LoopSegment {
    switch content {
    case .memory(let segments): segments[index]
    case .stored(let loop): try loop.segment(index)
    }
  }

  /// Whether a new picture shows at the start of a segment. Needs no reading.
  func beginsWithNewPicture(_ index: Int) -> Bool {
    switch content {
    case .memory(let segments): segments[index].beginsWithNewPicture
    case .stored(let loop): loop.beginsWithNewPicture(index)
    }
  }

  /// When the pictures of a segment begin to show. Needs no reading.
  func times(_ index: Int) -> [LoopTime] {
    switch content {
    case .memory(let segments):
      segments[index].changes.map { LoopTime(step: $0.step, slotOffset: $0.slotOffset) }
    case .stored(let loop): loop.times(index)
    }
  }

  /// The loop for a camera without an operator's loop: one segment of the slate. `SlateShelf` makes it once for all
  /// cameras with the same settings.
  static func slate(_ settings: CameraSettings, logger: Logger) throws(FFmpegError) -> Loop {
    var line = try PictureLine.open(settings, logger: logger)
    return try builtIn(&line, timeline: settings.timeline)
  }

  /// The same, encoded by a line, which must be new.
  static func builtIn(_ line: inout PictureLine, timeline: TimelineSettings) throws(FFmpegError) -> Loop {
    var pictures: [CodedPicture] = []
    for _ in 0..<timeline.stepsPerPart * timeline.partsPerSegment { pictures.append(try line.encode(.repeated)) }
    guard let parameterSets = line.parameterSets else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "libx264 gave no parameter sets with its first picture")
    }
    let slate = try line.jpeg()
    let segment = LoopSegment(
      pictures: pictures, changes: [ShownPicture(step: 0, jpeg: slate)], opening: slate)
    return Loop(content: .memory([segment]), parameterSets: parameterSets, isBuiltIn: true)
  }

  /// The operator's loop for a camera. `nil`, logged with what to do, if there is none, it is damaged, or it was made
  /// with other settings. It is quick enough to be called whenever a camera goes off.
  ///
  /// - Parameters:
  ///   - folder: the camera's folder in the store.
  ///   - parameterSets: of the camera's encoder.
  package static func open(
    folder: String, settings: CameraSettings, parameterSets: ParameterSets, logger: Logger
  ) -> Loop? {
    guard let path = LoopFolder.path(in: folder) else {
      logger.info(
        """
        no loop was made for this camera: a dim picture is shown when it is off; make one with \
        `quietcam loop SOURCE --camera \(settings.name)`
        """)
      return nil
    }
    do {
      let stored = try StoredLoop(path: path, settings: settings, parameterSets: parameterSets)
      return Loop(content: .stored(stored), parameterSets: parameterSets, isBuiltIn: false)
    } catch {
      logger.warning(
        "the loop cannot be shown, and a slate takes its place when the camera is off: \(error)",
        metadata: ["folder": "\(path)"])
      return nil
    }
  }
}
