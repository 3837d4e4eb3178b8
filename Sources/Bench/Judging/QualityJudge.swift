import Foundation
import Media
import NIOCore

/// Compares what viewers saw by the `ffmpeg` program: its decoders, its `ssim` filter, and `libvmaf` if it has it. Luma
/// is compared, full range, in the stream's size.
struct QualityJudge: Sendable {
  /// The results of a comparison.
  struct Marks: Sendable {
    /// Mean structural similarity, 1 at most.
    let ssim: Double
    /// Mean VMAF, 100 at most; `nil` if this ffmpeg has none.
    let vmaf: Double?
  }

  private let folder: URL
  private let size: PictureSize
  private let hasVMAF: Bool
  /// The stills, and their scenes if they are known, as raw gray files.
  private let stills: URL
  private let scenes: URL?

  /// A judge of pictures of these stills.
  ///
  /// - Throws: `BenchFailure`.
  init(_ set: StillSet, size: PictureSize, folder: URL) async throws {
    (self.folder, self.size) = (folder, size)
    let filters = String(decoding: try await ExternalProgram.ffmpeg.output(["-v", "error", "-filters"]), as: UTF8.self)
    hasVMAF = filters.contains(" libvmaf ")
    stills = folder.appending(path: "stills.gray")
    try await Self.decode(jpegs: set.stills, into: stills, size: size, folder: folder)
    let scenes = folder.appending(path: "scenes.gray")
    switch set.scenes {
    case .unknown: self.scenes = nil
    case .jpegs(let jpegs):
      try await Self.decode(jpegs: jpegs, into: scenes, size: size, folder: folder)
      self.scenes = scenes
    case .gray(let pictures, let original):
      var raw = Data()
      for picture in pictures { raw += picture.readableBytesView }
      let file = folder.appending(path: "scenes.raw")
      try raw.write(to: file)
      _ = try await ExternalProgram.ffmpeg.output(
        ["-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "\(original)", "-i", file.path]
          + Self.output(size, into: scenes))
      self.scenes = scenes
    }
  }

  /// The results of some stills against their scenes; `nil` if those are not known.
  func marksOfStills(_ numbers: [Int]) async throws -> Marks? {
    guard let scenes, !numbers.isEmpty else { return nil }
    return try await compare(try pick(numbers, of: stills, as: "a"), try pick(numbers, of: scenes, as: "b"))
  }

  /// The results of a viewer's pictures against the stills that they show, and against their scenes.
  ///
  /// - Parameter shown: the index of a picture in `pictures` and the number of its still.
  func marks(
    of pictures: URL, shown: [(place: Int, still: Int)]
  ) async throws -> (toStills: Marks, toScenes: Marks?)? {
    guard !shown.isEmpty else { return nil }
    let seen = try pick(shown.map(\.place), of: pictures, as: "a")
    let toStills = try await compare(seen, try pick(shown.map(\.still), of: stills, as: "b"))
    guard let scenes else { return (toStills, nil) }
    return (toStills, try await compare(seen, try pick(shown.map(\.still), of: scenes, as: "b")))
  }

  /// Decodes a viewer's single pictures.
  func decode(jpegs: [ByteBuffer]) async throws -> URL {
    let file = folder.appending(path: "viewed.gray")
    try await Self.decode(jpegs: jpegs, into: file, size: size, folder: folder)
    return file
  }

  /// Decodes a viewer's video; one picture for each in it.
  func decode(video: Data) async throws -> URL {
    let (input, file) = (folder.appending(path: "viewed.video"), folder.appending(path: "viewed.gray"))
    try video.write(to: input)
    _ = try await ExternalProgram.ffmpeg.output(
      ["-v", "error", "-nostdin", "-y", "-i", input.path] + Self.output(size, into: file))
    return file
  }

  private static func output(_ size: PictureSize, into file: URL) -> [String] {
    [
      "-vf", SegmentingProgram.fit(size) + ":out_range=full,format=gray", "-fps_mode", "passthrough", "-f", "rawvideo",
      file.path,
    ]
  }

  private static func decode(jpegs: [ByteBuffer], into file: URL, size: PictureSize, folder: URL) async throws {
    var all = Data()
    for jpeg in jpegs { all += jpeg.readableBytesView }
    let input = folder.appending(path: "pictures.mjpeg")
    try all.write(to: input)
    _ = try await ExternalProgram.ffmpeg.output(
      ["-v", "error", "-nostdin", "-y", "-f", "mjpeg", "-i", input.path] + output(size, into: file))
  }

  /// A file with some pictures of another, in this order.
  private func pick(_ places: [Int], of file: URL, as name: String) throws -> URL {
    let from = try FileHandle(forReadingFrom: file)
    defer { try? from.close() }
    let picked = folder.appending(path: "\(name).gray")
    var raw = Data(capacity: places.count * size.pixels)
    for place in places {
      try from.seek(toOffset: UInt64(place * size.pixels))
      guard let picture = try from.read(upToCount: size.pixels), picture.count == size.pixels else {
        throw BenchFailure("\(file.lastPathComponent) has no picture \(place); fewer came out of ffmpeg than went in")
      }
      raw += picture
    }
    try raw.write(to: picked)
    return picked
  }

  private func compare(_ seen: URL, _ true: URL) async throws -> Marks {
    func input(_ file: URL) -> [String] {
      ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "\(size)", "-i", file.path]
    }
    func said(_ filter: String) async throws -> String {
      let arguments =
        ["-hide_banner", "-nostdin"] + input(seen) + input(`true`) + ["-lavfi", filter, "-f", "null", "-"]
      return String(decoding: try await ExternalProgram.ffmpeg.output(arguments, ofErrors: true), as: UTF8.self)
    }
    func number(_ text: String, after words: String) throws -> Double {
      guard let found = text.range(of: words),
        let number = Double(text[found.upperBound...].prefix { "0123456789.".contains($0) })
      else { throw BenchFailure("ffmpeg's answer has no \(words)") }
      return number
    }
    let ssim = try number(try await said("ssim"), after: "SSIM Y:")
    let vmaf =
      hasVMAF
      ? try number(try await said("[0]format=yuv420p[a];[1]format=yuv420p[b];[a][b]libvmaf"), after: "VMAF score: ")
      : nil
    return Marks(ssim: ssim, vmaf: vmaf)
  }
}
