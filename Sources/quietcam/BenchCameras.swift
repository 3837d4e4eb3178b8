import ArgumentParser
import Bench
import Foundation
import Logging
import Media
import NIOConcurrencyHelpers
import Picture

extension Bench {
  /// `quietcam bench cameras`.
  struct Cameras: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How many cameras this machine carries, what each costs, and what reaches its limit first.",
      discussion: """
        A server of its own is started with so many cameras. Each sends a still every two seconds, at its own time and \
        from its own place in the pictures, and has a viewer who follows its playlist. SOURCE is a folder of JPEGs, \
        which are sent as they are, a video file, or demo for the painted desk.

        The cameras and viewers are connections of this program, on this machine: the result says how much of the \
        machine this bench takes. The exit code is 0 if the machine carries the cameras, and 1 if not.
        """)

    @Argument(help: ArgumentHelp("Where stills come from.", valueName: "source")) var source = "demo"
    @Option(name: .shortAndLong, help: ArgumentHelp("How many cameras.", valueName: "count")) var number = 20
    @Flag(help: "Search for the most cameras that the machine carries, beginning with --number.") var find = false
    @Option(name: .customLong("for"), help: ArgumentHelp("How long to measure: 30s, 2m.", valueName: "duration"))
    var duration = Length(ticks: .seconds(60))
    @Option(
      help: ArgumentHelp("How long the cameras send before: as long as a segment at least.", valueName: "duration"))
    var settle = Length(ticks: .seconds(40))
    @Option(help: ArgumentHelp("The time between stills.", valueName: "seconds")) var every: Pace = "2s"
    @Option(help: ArgumentHelp("Of a video, take every this-many-th picture.", valueName: "count")) var everyFrame = 20
    @Flag(help: "Make gray stills.") var gray = false
    @Option(
      name: .customLong("set"),
      help: ArgumentHelp("A setting of all cameras: part=1. May be given again.", valueName: "key=value"))
    var settings: [String] = []
    @Option(
      help: ArgumentHelp(
        "The public address of a server that runs already, instead of one of its own; with --private and "
          + "--operator-token. The cameras are added to it, and removed at the end.",
        valueName: "url")) var url: String?
    @Option(help: ArgumentHelp("Its private address.", valueName: "url")) var `private`: String?
    @Option(help: ArgumentHelp("Its operator's token.", valueName: "secret")) var operatorToken: String?
    @Option(help: ArgumentHelp("Write the figures here.", valueName: "file")) var json: String?

    func validate() throws {
      guard (1...2000).contains(number) else {
        throw ValidationError("--number: found \(number); accepted: 1 to 2000")
      }
      guard everyFrame > 0 else { throw ValidationError("--every-frame: accepted: 1 and more") }
      _ = try other()
      if let wrong = settings.first(where: { !$0.dropFirst().contains("=") }) {
        throw ValidationError("--set: found \(wrong); accepted: a setting such as part=1")
      }
    }

    /// The server that is named; `nil` for one of its own.
    private func other() throws -> (viewers: FleetAddress, cameras: FleetAddress, operatorToken: String)? {
      guard url != nil || `private` != nil || operatorToken != nil else { return nil }
      guard let viewers = url.flatMap({ FleetAddress(url: $0) }),
        let cameras = `private`.flatMap({ FleetAddress(url: $0) }), let operatorToken
      else {
        throw ValidationError(
          "--url, --private, --operator-token: all three are needed, the first two as http:// addresses")
      }
      return (viewers, cameras, operatorToken)
    }

    func run() async throws {
      var logger = Logger(label: "bench")
      logger.logLevel = .error
      FFmpegLog.redirect(to: logger)
      guard let program = Bundle.main.executableURL else {
        throw ValidationError("this program cannot find its own file")
      }
      let files = OpenFiles.raiseLimit()
      guard 2 * number + 64 <= files else {
        throw ValidationError(
          "--number: \(number) cameras need \(2 * number + 64) open files, and the system allows \(files); raise the "
            + "limit with `ulimit -n`")
      }
      let line = NIOLockedValueBox(ProgressLine())
      do {
        var making = StillSet.Making()
        (making.everyFrame, making.isGray, making.count) = (everyFrame, gray, 40)
        let set = try await StillSet.make(source, every: every.ticks, making) { count in
          line.withLockedValue { $0.show("\(count) stills") }
        }
        var results: [FleetResult] = []
        if find {
          var search = FleetSearch(first: number)
          while let count = search.next {
            let result = try await measure(count, set, program, line)
            print(result.statement)
            search.note(count, isCarried: result.isCarried)
            results.append(result)
          }
          print(FleetSearch.statement(results))
        } else {
          results = [try await measure(number, set, program, line)]
          print(results[0])
        }
        if let json {
          let encoder = JSONEncoder()
          encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
          try encoder.encode(results).write(to: URL(fileURLWithPath: json))
        }
        if !find, !results[0].isCarried { throw ExitCode.failure }
      } catch let failure as BenchFailure {
        line.withLockedValue { $0.clear() }
        throw ValidationError(failure.description)
      }
    }

    private func measure(
      _ count: Int, _ set: StillSet, _ program: URL, _ line: NIOLockedValueBox<ProgressLine>
    ) async throws -> FleetResult {
      let pairs = settings.map { setting in
        let pair = setting.split(separator: "=", maxSplits: 1)
        return (key: String(pair[0]), value: String(pair[1]))
      }
      let bench = FleetBench(
        program: program, plan: FleetPlan(count: count, every: every.ticks, stills: set.stills), settings: pairs,
        other: try other(), settle: settle.ticks.duration, length: duration.ticks.duration)
      let show: @Sendable (FleetBench.Progress) -> Void = { progress in
        let level = progress.level.map { ", level \($0)" } ?? ""
        line.withLockedValue {
          $0.show(
            "\(progress.cameras) cameras, \(progress.left.components.seconds) s left, \(progress.stills) stills, "
              + "\(progress.lateParts) late parts\(level)")
        }
      }
      let result = try await endedBySignal { try await bench.run(onProgress: show) }
      line.withLockedValue { $0.clear() }
      return result
    }
  }
}
