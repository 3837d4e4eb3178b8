import ArgumentParser
import Bench
import Foundation
import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import Picture

extension Bench {
  /// `quietcam bench bandwidth`.
  struct Bandwidth: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "What each way of showing the stills costs a viewer, with every byte counted.",
      discussion: """
        SOURCE is a folder of JPEGs, which are pushed as they are, a video file, or demo for the painted desk. All ways \
        run at the same time against a real server on loopback, in real time: --for 2m takes about four minutes.
        """)

    @Argument(help: ArgumentHelp("Where stills come from.", valueName: "source")) var source = "demo"
    @Option(help: ArgumentHelp("The time between stills: 2s, 500ms.", valueName: "duration")) var every: Pace = "2s"
    @Option(
      name: .customLong("for"), help: ArgumentHelp("How long to measure: 90s, 2m.", valueName: "duration"))
    var duration = Length(ticks: .seconds(120))
    @Option(help: ArgumentHelp("How long to push before the first viewer comes.", valueName: "duration"))
    var warmUp = Length(ticks: .seconds(24))
    @Option(help: ArgumentHelp("Of a video, take every this-many-th picture.", valueName: "count")) var everyFrame = 20
    @Option(help: ArgumentHelp("The size of stills from a video or painted.", valueName: "size")) var stillSize =
      "640x480"
    @Flag(help: "Make gray stills.") var gray = false
    @Option(help: ArgumentHelp("The JPEG quality of stills from a video or painted, 1 to 100.", valueName: "quality"))
    var quality = 50
    @Option(help: ArgumentHelp("The most stills; they are pushed again and again.", valueName: "count")) var stills = 60
    @Option(
      name: .customLong("set"),
      help: ArgumentHelp("A setting of the server: crf=30. May be given again.", valueName: "key=value"))
    var settings: [String] = []
    @Option(help: ArgumentHelp("Only these ways, with commas between them.", valueName: "ways")) var ways: String?
    @Flag(name: .customLong("http2"), help: "Use HTTP/2 in TLS instead of HTTP/1.1.") var isHTTP2 = false
    @Flag(help: "Compare the counts with the kernel's (the ss program).") var verify = false
    @Option(help: ArgumentHelp("Write the figures here.", valueName: "file")) var json: String?
    @Option(help: ArgumentHelp("Write a page with charts here.", valueName: "file")) var html: String?

    func validate() throws {
      guard (1...100).contains(quality) else {
        throw ValidationError("--quality: found \(quality); accepted: 1 to 100")
      }
      guard everyFrame > 0, stills > 0 else {
        throw ValidationError("--every-frame, --stills: accepted: 1 and more")
      }
      guard PictureSize(stillSize) != nil else {
        throw ValidationError("--still-size: found \(stillSize); accepted: a size such as 640x480")
      }
      _ = try options()
    }

    func run() async throws {
      var logger = Logger(label: "bench")
      logger.logLevel = .error
      FFmpegLog.redirect(to: logger)
      let line = BenchProgress()
      guard let program = Bundle.main.executableURL else {
        throw ValidationError("this program cannot find its own file")
      }
      do {
        var making = StillSet.Making()
        making.everyFrame = everyFrame
        making.size = PictureSize(stillSize) ?? making.size
        (making.isGray, making.quality, making.count) = (gray, quality, stills)
        let set = try await StillSet.make(source, every: every.ticks, making) { line.show("\($0) stills") }
        let bench = BandwidthBench(try options(), program: program, progress: line.show)
        let result = try await endedBySignal { try await bench.run(set) }
        line.end()
        print(ResultTable(result))
        if let json {
          let encoder = JSONEncoder()
          encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
          try write(encoder.encode(result), to: json, "--json")
        }
        if let html { try write(Data(HTMLReport(result).html.utf8), to: html, "--html") }
      } catch let failure as BenchFailure {
        line.end()
        throw ValidationError(failure.description)
      }
    }

    private func write(_ data: Data, to path: String, _ option: String) throws {
      do { try data.write(to: URL(fileURLWithPath: path)) } catch {
        throw ValidationError("\(option): \(path) cannot be written (\(error.localizedDescription)); check the folder")
      }
    }

    private func options() throws -> BandwidthBench.Options {
      var options = BandwidthBench.Options()
      (options.every, options.duration, options.warmUp) = (every.ticks, duration.ticks, warmUp.ticks)
      (options.isHTTP2, options.isVerified) = (isHTTP2, verify)
      options.settings = try settings.map { text in
        let pieces = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard pieces.count == 2 else {
          throw ValidationError("--set: found \(text); accepted: KEY=VALUE with a key of quietcam serve")
        }
        return (pieces[0], pieces[1])
      }
      if let ways {
        options.ways = try ways.split(separator: ",").map { name in
          guard let way = Way(rawValue: String(name)) else {
            throw ValidationError(
              "--ways: found \(name); accepted: \(Way.allCases.map(\.rawValue).joined(separator: ", "))")
          }
          return way
        }
      }
      return options
    }
  }
}

/// Progress on standard error: one line that is redrawn on a terminal, otherwise a line for each new step.
final class BenchProgress: Sendable {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let last = NIOLockedValueBox("")

  func show(_ text: String) {
    let matter = text.split(separator: ",").first.map(String.init) ?? text
    let isNew = last.withLockedValue { last in
      defer { last = matter }
      return last != matter
    }
    if isTerminal {
      FileHandle.standardError.write(Data("\r\(text)\u{1B}[K".utf8))
    } else if isNew, !matter.hasSuffix(" stills") {
      FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
  }

  func end() { if isTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }
}
