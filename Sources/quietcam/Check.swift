import ArgumentParser
import Check
import Logging
import Media

/// `quietcam check`: checks any live stream against the rules of HLS.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Follow a live stream and check it against the rules of HLS.",
    discussion: """
      URL is a multivariant or a media playlist, of Quietcam or of any other server. The stream is followed as players \
      do, with blocking reloads, deltas and preload hints if it offers them; what it lists is fetched and checked.

      Each rule has a line: ✓ it held, ✗ one that must hold did not, ! one that should hold did not, – nothing in the \
      stream was about it. A server is late only if it is half a second (0.3 s for parts) later than the rule allows, \
      and only by its own answers: a check on a busy machine finds less, but never something false.

      The exit code is 0 if all that must hold held, 1 if not, 2 if there was no stream to follow.
      """)

  @Argument(help: ArgumentHelp("The playlist.", valueName: "url")) var url: String
  @Option(name: .customLong("for"), help: ArgumentHelp("How long: 60s, 10m.", valueName: "duration"))
  var time = Length(ticks: .seconds(60))
  @Flag(help: "Print the report as JSON.") var json = false

  func validate() throws {
    guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
      throw ValidationError("'\(url)' is not the address of a playlist; write http://HOST:PORT/PATH.m3u8")
    }
  }

  func run() async throws {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "check")
    logger.logLevel = .warning
    do {
      let report = try await Follower.follow(url, for: time.ticks, logger: logger)
      print(json ? report.json : report.text)
      if !report.holds { throw ExitCode(1) }
    } catch let error as FollowError {
      logger.error("\(error)")
      throw ExitCode(2)
    }
  }
}
