import ArgumentParser
import Bench
import Foundation
import Logging
import Media
import NIOConcurrencyHelpers
import Picture

extension Bench {
  /// `quietcam bench viewers`.
  struct Viewers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How many viewers this machine carries, and how long after the first one the last one has each part.",
      discussion: """
        Without --url a server of its own is started, with the painted desk as its camera, one still every two \
        seconds. With --url the viewers watch any server's stream by HTTP/1.1, also one that is not Quietcam. The \
        viewers are connections of this program, on this machine: where both together need all cores, the server \
        alone carries more. The last line says whether all were carried, and if not what gave first.

        All media that two viewers get under one name must have the same bytes. The exit code is 0 if each viewer saw \
        everything, and 1 if not, or if no media came at all.
        """)

    @Option(name: .shortAndLong, help: ArgumentHelp("How many viewers.", valueName: "count")) var number = 500
    @Option(
      name: .customLong("for"), help: ArgumentHelp("How long all of them watch: 30s, 2m.", valueName: "duration"))
    var duration = Length(ticks: .seconds(60))
    @Option(help: ArgumentHelp("The playlist, instead of a server of its own.", valueName: "url")) var url: String?
    @Option(help: ArgumentHelp("How they watch.", valueName: "way")) var way = CrowdWay.lowLatency
    @Option(
      help: ArgumentHelp(
        "How long a viewer stays in the mean, until another one comes in its place (default: to the end)",
        valueName: "duration")) var stay: Length?
    @Option(
      help: ArgumentHelp(
        "A PEM file with the certificate that the server's is checked against.", valueName: "file")) var ca: String?
    @Option(
      name: .customLong("set"),
      help: ArgumentHelp("A setting of its own server: part=1. May be given again.", valueName: "key=value"))
    var settings: [String] = []
    @Option(
      help: ArgumentHelp(
        "Write how long after the first viewer the others had each part, by percentile, for HdrHistogram's plotter.",
        valueName: "file")) var histogram: String?

    func validate() throws {
      guard (1...60_000).contains(number) else {
        throw ValidationError("--number: found \(number); accepted: 1 to 60000")
      }
      if let url, !["http", "https"].contains(URL(string: url)?.scheme) {
        throw ValidationError("--url: found \(url); accepted: the http:// or https:// address of a playlist")
      }
      if let stay, stay.ticks < .seconds(2) {
        throw ValidationError("--stay: found \(stay.defaultValueDescription); accepted: 2s and more")
      }
      if let wrong = settings.first(where: { !$0.dropFirst().contains("=") }) {
        throw ValidationError("--set: found \(wrong); accepted: a setting such as part=1")
      }
    }

    func run() async throws {
      var logger = Logger(label: "bench")
      logger.logLevel = .error
      FFmpegLog.redirect(to: logger)
      let files = OpenFiles.raiseLimit()
      let connections = way == .photos ? 2 * number : number
      guard connections + 64 <= files else {
        throw ValidationError(
          "--number: \(number) viewers need \(connections + 64) open files, and the system allows \(files); raise the "
            + "limit with `ulimit -n`")
      }
      let line = NIOLockedValueBox(ProgressLine())
      let show: @Sendable (ViewersBench.Progress) -> Void = { progress in
        let time = progress.elapsed.map { "\($0.components.seconds) s" } ?? "connecting"
        line.withLockedValue { $0.show("\(progress.connected) viewers, \(time), \(progress.mistakes) mistakes") }
      }
      var options = ViewersBench.Options()
      (options.way, options.count, options.length) = (way, number, duration.ticks.duration)
      (options.stay, options.trust) = (stay?.ticks, ca)
      let result: CrowdResult
      if let url = url.flatMap({ URL(string: $0) }) {
        result = try await ViewersBench(url: url, options: options).run(onProgress: show)
      } else {
        guard let program = Bundle.main.executableURL else {
          throw ValidationError("this program cannot find its own file; give --url")
        }
        let flags = settings.flatMap { setting -> [String] in
          let pair = setting.split(separator: "=", maxSplits: 1)
          return ["--\(pair[0])", String(pair.last ?? "")]
        }
        let stills = try await Stages.stills(nil, count: 30)
        let crowd = ServedCrowd(
          program: program, stills: stills, settings: flags, options: options)
        result = try await endedBySignal { try await crowd.run(onProgress: show) }
      }
      line.withLockedValue { $0.clear() }
      print(result)
      if let histogram { try Data(result.spread.distribution.utf8).write(to: URL(fileURLWithPath: histogram)) }
      if !result.isGood { throw ExitCode.failure }
    }
  }
}

extension CrowdWay: ExpressibleByArgument {}
