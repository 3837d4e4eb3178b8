import ArgumentParser
import Bench
import Foundation
import Logging
import Media
import Picture

extension Bench {
  /// `quietcam bench veil`.
  struct Veil: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Attack the veil: measure whether anything public differs while it is down.",
      discussion: """
        URL is a camera's public address, such as http://HOST/CAMERA/; the camera must be on and have a recorded loop, and \
        is veiled several times by --operator and --operator-token. Without URL a server is started, a camera with an \
        unsteady timer is played to it, and its loop is recorded.

        Only public addresses are watched: parts and when they come, segments while they are made, playlists, events and \
        latest.jpg. For each feature the table has the AUC, 0.5 where it tells nothing, with its 95 % interval: live \
        against live as the control, live against veiled, and live against the windows in which a veil begins or ends. A \
        feature tells if chance makes such a difference in fewer than 5 % of all runs, counted over all features, and it \
        is farther from 0.5 than the control is. The exit status is 1 if something tells.
        """)

    @Argument(help: ArgumentHelp("A camera's public address.", valueName: "url")) var url: String?
    @Option(
      name: .customLong("operator"), help: ArgumentHelp("The private address of its server.", valueName: "url"))
    var privateAddress = "http://127.0.0.1:8081"
    @Option(help: ArgumentHelp("The operator's token.", valueName: "secret")) var operatorToken: String?
    @Option(help: ArgumentHelp("How many stretches of each kind.", valueName: "count")) var stretches = 3
    @Option(name: .customLong("for"), help: ArgumentHelp("The length of a stretch: 40s, 5m.", valueName: "duration"))
    var length = Length(ticks: .seconds(40))
    @Option(help: ArgumentHelp("The length of a window.", valueName: "duration"))
    var window = Length(ticks: .seconds(8))
    @Option(help: ArgumentHelp("Decides the order of the stretches and the camera's timer.", valueName: "number"))
    var seed: UInt64 = 1
    @Option(help: ArgumentHelp("What the played camera sees: a folder, a video, or demo.", valueName: "source"))
    var source = "demo"
    @Option(help: ArgumentHelp("The time between its stills.", valueName: "duration")) var every: Pace = "1.55"
    @Option(help: ArgumentHelp("How much later than due each may come.", valueName: "duration"))
    var jitter = Length(ticks: .milliseconds(100))
    @Option(
      help: ArgumentHelp(
        "How much of it becomes the loop (default: half as much again as is veiled, so that few pictures come twice)",
        valueName: "duration"))
    var record: Length?
    @Option(help: ArgumentHelp("The part target of the started server.", valueName: "seconds")) var part: Pace = "1"
    @Option(help: ArgumentHelp("The segments of the started server.", valueName: "seconds")) var segment: Pace = "4"
    @Option(help: ArgumentHelp("The size of its stream.", valueName: "WIDTHxHEIGHT")) var size = "640x480"
    @Option(help: ArgumentHelp("Judge what --json has written, and watch nothing.", valueName: "file"))
    var again: String?
    @Option(help: ArgumentHelp("Write all that was seen, and the result, as JSON.", valueName: "file")) var json:
      String?

    func validate() throws {
      guard stretches > 0 else { throw ValidationError("--stretches: found \(stretches); accepted: 1 or more") }
      guard window.ticks <= length.ticks else {
        throw ValidationError("--window: found \(window.ticks); accepted: at most --for, which is \(length.ticks)")
      }
      guard PictureSize(size) != nil else {
        throw ValidationError("--size: found \(size); accepted: a size such as 640x480")
      }
    }

    func run() async throws {
      var logger = Logger(label: "bench")
      logger.logLevel = .error
      FFmpegLog.redirect(to: logger)
      var plan = VeilBench.Plan()
      (plan.stretches, plan.length, plan.window, plan.seed) = (stretches, length.ticks, window.ticks, seed)
      let bench = VeilBench(plan: plan) { FileHandle.standardError.write(Data("\($0)\n".utf8)) }
      let record: VeilBench.Record
      do {
        record = try await measure(bench)
      } catch let failure as BenchFailure { throw ValidationError(failure.description) }
      let result = record.judge()
      if let json {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try encoder.encode(Written(record: record, result: result)).write(to: URL(fileURLWithPath: json))
      }
      print(result)
      if !result.telling.isEmpty { throw ExitCode(1) }
    }

    private struct Written: Codable {
      var record: VeilBench.Record
      let result: VeilResult
    }

    private var recording: Ticks {
      record?.ticks ?? max(.seconds(60), Ticks(length.ticks.count * Int64(stretches) * 3 / 2))
    }

    private func measure(_ bench: VeilBench) async throws -> VeilBench.Record {
      if let again {
        guard let text = FileManager.default.contents(atPath: again),
          var written = try? JSONDecoder().decode(Written.self, from: text)
        else { throw ValidationError("--again: \(again) is no file that --json wrote") }
        written.record.window = window.ticks.count * 100 / 9
        return written.record
      }
      if let url {
        guard let camera = URL(string: url), camera.host != nil, let name = camera.pathComponents.last, name != "/"
        else {
          throw ValidationError("\(url) is no address of a camera; name one such as http://HOST/CAMERA/")
        }
        guard let operatorToken else {
          throw ValidationError("--operator-token is missing: a veil is ordered by the operator")
        }
        let owner = VeilOperator(address: privateAddress, camera: name, token: operatorToken)
        return try await endedBySignal { try await bench.attack(camera, owner, clock: VeilObserver.Clock()) }
      }
      guard let program = Bundle.main.executableURL else {
        throw ValidationError("this program cannot find its own file; name a URL and --operator-token")
      }
      var rig = VeilBench.Rig()
      (rig.part, rig.segment, rig.size) = (part.ticks.secondsText, segment.ticks.secondsText, size)
      (rig.every, rig.jitter, rig.recording) = (every.ticks, jitter.ticks, recording)
      let stills = try await StillSet.make(source, every: every.ticks, StillSet.Making()) { _ in }
      return try await endedBySignal { [rig] in try await bench.run(program, rig, stills: stills) }
    }
  }
}
