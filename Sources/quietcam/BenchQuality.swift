import ArgumentParser
import Bench
import Camera
import Foundation
import Logging
import Media
import NIOCore
import Picture

extension Bench {
  /// `quietcam bench quality`.
  struct Quality: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Bytes and similarity of the stream, encoded in many ways, and of polling JPEGs.",
      discussion: """
        SOURCE is a folder of JPEGs, which are the pushed stills, or a video, whose frames are the true scene and are \
        pushed as JPEGs of --quality. Without SOURCE the painted desk is used, with a sensor's noise for the stills and \
        without noise for the true scene. Bytes are media alone, without playlists and headers: those that \
        `bench bandwidth` measures in real time, in a fraction of its time.
        """)

    @Argument(help: ArgumentHelp("A folder of stills or a video.", valueName: "source")) var source: String?
    @Option(help: ArgumentHelp("The time between stills.", valueName: "seconds")) var every: Pace = "2s"
    @Option(help: ArgumentHelp("Of a video, take every this-many-th picture.", valueName: "count")) var everyFrame = 20
    @Option(help: ArgumentHelp("How many stills at most.", valueName: "count")) var count = 60
    @Option(help: ArgumentHelp("The true scene of a folder of stills: another folder.", valueName: "folder"))
    var scene: String?
    @Option(help: ArgumentHelp("The size of the stream.", valueName: "size")) var size = "640x480"
    @Option(help: ArgumentHelp("The JPEG quality of stills from a video or painted.", valueName: "quality"))
    var quality = 50
    @Flag(help: "Remove the colours first.") var gray = false
    @Option(help: ArgumentHelp("How far the SSIM at the mark can be under the stills' own.", valueName: "number"))
    var slack = 0.004
    @Option(help: ArgumentHelp("Only the curves whose names contain this, such as segment.", valueName: "text"))
    var only = ""
    @Option(help: ArgumentHelp("Write the result as JSON into this file; - is standard output.", valueName: "file"))
    var json: String?
    @Option(help: ArgumentHelp("Write a page with the curves into this file.", valueName: "file")) var html: String?

    func run() async throws {
      var logger = Logger(label: "bench")
      logger.logLevel = .error
      FFmpegLog.redirect(to: logger)
      guard let pictureSize = PictureSize(size) else {
        throw ValidationError("--size: found \(size); accepted: a size such as 640x480")
      }
      let picture = PictureSettings(size: pictureSize, isGray: gray)
      let (stills, scenes) = try await material(picture)
      guard !stills.isEmpty else {
        throw ValidationError("\(source ?? "the demo") gave no stills; name a folder of JPEGs or a video")
      }
      let bench = QualityBench(
        source: source.map { URL(fileURLWithPath: $0).lastPathComponent } ?? "painted desk", stills: stills,
        scenes: scenes, every: every.ticks, picture: picture, slack: slack)
      let result = try bench.run(only: only) { name in
        FileHandle.standardError.write(Data("\(name)\n".utf8))
      }
      if json != "-" { print(result) }
      if let json {
        if json == "-" {
          print(try result.json)
        } else {
          try Data(result.json.utf8).write(to: URL(fileURLWithPath: json))
        }
      }
      if let html { try Data(QualityPage(result).html.utf8).write(to: URL(fileURLWithPath: html)) }
    }

    /// The stills, and their true scenes as JPEGs of the highest quality if they are known.
    private func material(_ picture: PictureSettings) async throws -> ([ByteBuffer], [ByteBuffer]?) {
      if let source, let scene {
        let (stills, scenes) = (try await collect(try await open(source)), try await collect(try await open(scene)))
        guard scenes.count == stills.count else {
          throw ValidationError(
            "--scene: \(scene) has \(scenes.count) pictures for \(stills.count) stills; it needs one for each")
        }
        return (stills, scenes)
      }
      var making = StillSet.Making()
      (making.everyFrame, making.size, making.isGray) = (everyFrame, picture.size, gray)
      (making.quality, making.count) = (quality, max(1, count))
      let set = try await StillSet.make(source ?? "demo", every: every.ticks, making) { _ in }
      return (set.stills, try set.sceneJPEGs())
    }

    private func open(_ source: String) async throws -> PushSource {
      try await PushSource.open(source, every: every.ticks, loop: false, quality: 100)
    }

    private func collect(_ source: some StillSource) async throws -> [ByteBuffer] {
      var stills: [ByteBuffer] = []
      for index in 0..<Int64(max(1, count)) {
        guard case .still(let jpeg) = try await source.next(Beat(index: index, time: every.ticks * index)) else {
          break
        }
        stills.append(jpeg)
      }
      return stills
    }
  }
}
