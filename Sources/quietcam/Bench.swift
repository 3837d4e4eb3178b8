import ArgumentParser
import Bench
import Camera
import Demo
import Foundation
import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture

/// `quietcam bench`: measurements that an operator can repeat.
struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure what Quietcam costs on this machine.",
    subcommands: [
      Stages.self, Start.self, Still.self, Slots.self, Bandwidth.self, Quality.self, Latency.self, Veil.self,
      Viewers.self, Cameras.self,
    ])

  /// `quietcam bench slots`.
  struct Slots: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How long stills wait for their part, with slots that stand still and slots that follow the camera.",
      discussion: "Computed, in a second: nothing is sent.")

    func run() async throws {
      let bench = try SlotBench()
      print(bench.head)
      for timer in SlotBench.Timer.allCases { print(bench.run(timer)) }
    }
  }

  /// `quietcam bench stages`.
  struct Stages: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Processor time of each stage of a still, compared with the ffmpeg program.",
      discussion: "SOURCE is a folder of JPEGs; without one the demo scene is painted.")

    @Argument(help: ArgumentHelp("A folder of stills.", valueName: "source")) var source: String?
    @Option(help: ArgumentHelp("How many stills.", valueName: "count")) var count = 60
    @Option(help: ArgumentHelp("x264's preset.", valueName: "preset")) var preset = EncoderSettings().preset
    @Option(help: ArgumentHelp("x264's rate factor.", valueName: "crf")) var crf = EncoderSettings().crf

    func run() async throws {
      var logger = Logger(label: "bench")
      logger.logLevel = .error
      FFmpegLog.redirect(to: logger)
      let stills = try await Self.stills(source, count: count)
      let bench = StageBench(
        stills: stills, encoder: EncoderSettings(preset: preset, crf: crf), timeline: try TimelineSettings())
      let mean = stills.reduce(0) { $0 + $1.readableBytes } / stills.count
      print("\(stills.count) stills of \(mean) bytes, one every 2 s, preset \(preset.rawValue), CRF \(crf)")
      for size in [PictureSize(width: 320, height: 240), PictureSize(width: 640, height: 480)] {
        print(try await bench.run(size: size))
      }
    }

    static func stills(_ source: String?, count: Int) async throws -> [ByteBuffer] {
      var stills: [ByteBuffer] = []
      let still: @Sendable (Beat) async throws -> NextStill
      if let source {
        let folder = try await PushSource.open(source, every: .seconds(2), loop: true, quality: 75)
        still = folder.next
      } else {
        still =
          DemoSource(
            size: PictureSize(width: 640, height: 480), seed: 1, grain: true, quality: 50, from: .seconds(34_200)
          ).next
      }
      for index in 0..<Int64(max(1, count)) {
        if case .still(let jpeg) = try await still(Beat(index: index, time: .seconds(2 * index))) {
          stills.append(jpeg)
        }
      }
      guard !stills.isEmpty else {
        throw ValidationError("\(source ?? "the demo") gave no stills; name a folder of JPEGs")
      }
      return stills
    }
  }

  /// `quietcam bench still`.
  struct Still: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What a large still costs until it is a picture of the stream, and how soon viewers have it.",
      discussion: """
        Each file is decoded in full and as the server does it. Then it is put into a server's folder, and the time \
        from its last byte until a viewer has its event, latest.jpg, which is the photo, and the part of the stream that \
        shows it is measured.
        """)

    @Argument(help: ArgumentHelp("JPEGs.", valueName: "file")) var files: [String]
    @Option(help: ArgumentHelp("The size of the stream.", valueName: "WIDTHxHEIGHT")) var size = "640x480"
    @Option(help: ArgumentHelp("The most that the photo of it measures.", valueName: "WIDTHxHEIGHT"))
    var photo = "1920x1280"
    @Option(help: ArgumentHelp("How often it is put into the folder; 0 skips this.", valueName: "count"))
    var rounds = 5
    @Option(parsing: .upToNextOption, help: ArgumentHelp("Lengths of the server's parts.", valueName: "seconds"))
    var parts = ["0.5", "1", "2"]

    func run() async throws {
      guard let stream = PictureSize(size) else {
        throw ValidationError("--size: found \(size); accepted: a size such as 640x480")
      }
      guard let limit = PictureSize(photo) else {
        throw ValidationError("--photo: found \(photo); accepted: a size such as 1920x1280")
      }
      guard let program = Bundle.main.executableURL else {
        throw ValidationError("this program cannot find its own file")
      }
      for file in files {
        guard let data = FileManager.default.contents(atPath: file) else {
          throw ValidationError("cannot read \(file); name a JPEG")
        }
        let jpeg = ByteBuffer(bytes: data)
        let header = try JPEGHeader(jpeg, maxPixels: .max)
        let kind = header.isProgressive ? "progressive" : "baseline"
        print("\(file): \(header.size), \(kind), \(data.count) bytes, to \(stream)")
        for result in try StillBench(size: stream).run(jpeg) { print(result) }
        print(try StillBench(size: stream).photo(jpeg, limit: limit, quality: 75))
        for part in rounds > 0 ? parts : [] {
          let bench = ArrivalBench(program: program, size: stream)
          print(try await endedBySignal { try await bench.run(jpeg, part: part, rounds: rounds) })
        }
      }
    }
  }

  /// `quietcam bench start`.
  struct Start: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Time from process start to the first playlist of every camera, and memory of idle cameras.")

    @Option(help: ArgumentHelp("How often; the result is the median.", valueName: "count")) var count = 5
    @Option(help: ArgumentHelp("How many cameras.", valueName: "count")) var cameras = 1

    func run() async throws {
      guard let program = Bundle.main.executableURL else {
        throw ValidationError("this program cannot find its own file")
      }
      guard (1...1000).contains(cameras) else {
        throw ValidationError("--cameras: found \(cameras); accepted: 1 to 1000")
      }
      let bench = StartBench(program: program, size: PictureSize(width: 640, height: 480), cameras: cameras)
      var results: [(first: StartBench.Result, again: StartBench.Result)] = []
      for _ in 0..<max(1, count) {
        let result = try await endedBySignal { try await bench.run() }
        print(result.first)
        print(result.again)
        results.append(result)
      }
      print("median: \(results.map(\.first).sorted { $0.playlist < $1.playlist }[results.count / 2])")
      print("median: \(results.map(\.again).sorted { $0.playlist < $1.playlist }[results.count / 2])")
    }
  }
}

extension EncoderSettings.Preset: ExpressibleByArgument {}
