import Camera
import Demo
import Foundation
import Media
import NIOCore
import Picture

/// The stills that a bench pushes, and the scene of each, if it is known.
package struct StillSet: Sendable {
  /// How stills are made from other pictures.
  package struct Making: Sendable {
    /// Of a video, every this-many-th picture becomes a still.
    package var everyFrame = 20
    /// The size that pictures of a video are scaled to, and that the desk scene is painted in.
    package var size = PictureSize(width: 640, height: 480)
    /// Whether the stills are gray.
    package var isGray = false
    /// The JPEG quality, 1 to 100 on libjpeg's scale.
    package var quality = 50
    /// The most stills that are made; they are pushed again and again.
    package var count = 60

    /// The project's standard settings, in colour.
    package init() {}
  }

  /// The scene in the form that it is known in.
  enum Scenes: Sendable {
    /// It is not known what the camera saw.
    case unknown
    /// Raw gray pictures, full range.
    case gray([ByteBuffer], size: PictureSize)
    /// JPEGs of the highest quality.
    case jpegs([ByteBuffer])
  }

  /// The JPEGs in order.
  package let stills: [ByteBuffer]
  /// What they show.
  let scenes: Scenes
  /// Where they come from, for people.
  package let name: String

  /// The mean size of a still in bytes.
  package var meanBytes: Int { stills.reduce(0) { $0 + $1.readableBytes } / max(1, stills.count) }

  /// The scenes as JPEGs of the highest quality; `nil` if they are not known.
  ///
  /// - Throws: `FFmpegError`.
  package func sceneJPEGs() throws -> [ByteBuffer]? {
    switch scenes {
    case .unknown: return nil
    case .jpegs(let jpegs): return jpegs
    case .gray(let pictures, let size):
      var encoder = JPEGEncoder(quality: 100)
      return try pictures.map { picture in
        try encoder.encode(try Frame.rgb(picture.readableBytesView.flatMap { [$0, $0, $0] }, size: size))
      }
    }
  }

  /// Makes the set.
  ///
  /// - Parameters:
  ///   - source: a folder of JPEGs, which are taken as they are, a video file, or `demo` for the painted desk.
  ///   - every: the time between stills, for the painted desk.
  ///   - progress: gets their number.
  /// - Throws: `PushError`, `BenchFailure`.
  package static func make(
    _ source: String, every: Ticks, _ making: Making, progress: @Sendable (Int) -> Void
  ) async throws -> StillSet {
    if source == "demo" { return try await desk(every: every, making, progress: progress) }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: source, isDirectory: &isFolder) else {
      throw BenchFailure("no file or folder is at \(source); name a folder of JPEGs, a video file, or demo")
    }
    if isFolder.boolValue {
      let folder = FolderSource(path: source, loops: false)
      try await folder.check()
      var stills: [ByteBuffer] = []
      while stills.count < making.count,
        case .still(let jpeg) = try await folder.next(Beat(index: Int64(stills.count), time: .zero))
      {
        stills.append(jpeg)
        progress(stills.count)
      }
      guard !stills.isEmpty else { throw BenchFailure("no JPEG in \(source) can be read; name a folder of JPEGs") }
      return StillSet(stills: stills, scenes: .unknown, name: URL(fileURLWithPath: source).lastPathComponent)
    }
    return try await video(source, making, progress: progress)
  }

  private static func desk(
    every: Ticks, _ making: Making, progress: @Sendable (Int) -> Void
  ) async throws -> StillSet {
    func source(grain: Bool, quality: Int) -> DemoSource {
      DemoSource(size: making.size, seed: 1, grain: grain, quality: quality, from: .seconds(34_200))
    }
    let (camera, truth) = (source(grain: true, quality: making.quality), source(grain: false, quality: 100))
    var (stills, scenes): ([ByteBuffer], [ByteBuffer]) = ([], [])
    for index in 0..<Int64(making.count) {
      let beat = Beat(index: index, time: every * index)
      async let still = camera.next(beat)
      async let scene = truth.next(beat)
      if case (.still(let still), .still(let scene)) = try await (still, scene) {
        stills.append(still)
        scenes.append(scene)
        progress(stills.count)
      }
    }
    return StillSet(stills: stills, scenes: .jpegs(scenes), name: "desk")
  }

  private static func video(
    _ path: String, _ making: Making, progress: @Sendable (Int) -> Void
  ) async throws -> StillSet {
    let filter =
      "select=not(mod(n\\,\(making.everyFrame))),"
      + "scale=\(making.size.width):\(making.size.height):out_range=full,format=\(making.isGray ? "gray" : "rgb24")"
    let raw = try await ExternalProgram.ffmpeg.output([
      "-v", "error", "-nostdin", "-i", path, "-vf", filter, "-fps_mode", "passthrough", "-frames:v", "\(making.count)",
      "-f", "rawvideo", "-",
    ])
    let pixels = making.size.pixels
    let length = making.isGray ? pixels : pixels * 3
    guard raw.count >= length else { throw BenchFailure("\(path) gave no picture; name a video that ffmpeg reads") }
    var encoder = JPEGEncoder(quality: making.quality)
    var (stills, scenes): ([ByteBuffer], [ByteBuffer]) = ([], [])
    for start in stride(from: 0, through: raw.count - length, by: length) {
      let picture = raw[raw.startIndex + start..<raw.startIndex + start + length]
      if ExternalProgram.cjpeg.isInstalled {
        // Camera JPEGs are made by libjpeg; its gray ones have one component, which FFmpeg's encoder does not support.
        let header = "P\(making.isGray ? 5 : 6)\n\(making.size.width) \(making.size.height)\n255\n"
        let jpeg = try await ExternalProgram.cjpeg.output(
          ["-quality", "\(making.quality)"], input: Data(header.utf8) + picture)
        stills.append(ByteBuffer(bytes: jpeg))
      } else {
        let rgb = making.isGray ? picture.flatMap { [$0, $0, $0] } : Array(picture)
        stills.append(try encoder.encode(try Frame.rgb(rgb, size: making.size)))
      }
      scenes.append(ByteBuffer(bytes: making.isGray ? Array(picture) : luma(Array(picture))))
      progress(stills.count)
    }
    return StillSet(
      stills: stills, scenes: .gray(scenes, size: making.size), name: URL(fileURLWithPath: path).lastPathComponent)
  }

  /// The luma of RGB pixels by the weights of JFIF.
  private static func luma(_ rgb: [UInt8]) -> [UInt8] {
    stride(from: 0, to: rgb.count - 2, by: 3).map { at -> UInt8 in
      let (red, green, blue) = (Int(rgb[at]), Int(rgb[at + 1]), Int(rgb[at + 2]))
      return UInt8((299 * red + 587 * green + 114 * blue + 500) / 1000)
    }
  }
}

/// Why a bench cannot continue, as one sentence that says what to do.
package struct BenchFailure: Error, CustomStringConvertible, Sendable {
  /// The sentence.
  package let description: String

  init(_ description: String) { self.description = description }
}
