import ArgumentParser
import Camera
import Demo
import Foundation
import Logging
import Media
import Picture
import ServiceLifecycle
import Settings
import UnixSignals

/// `quietcam push`: makes a camera from any source.
struct Push: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Push stills to a server at a steady interval.",
    discussion: """
      SOURCE is a folder of JPEGs, one JPEG, a video file, a camera (/dev/video0), an RTSP or HTTP address (a snapshot, \
      Motion JPEG or any video), or lavfi:GRAPH; in short, whatever FFmpeg opens. The word demo paints a scene. \
      A camera that is off or busy is tried again and again; a wrong address or password ends the command.

      What the server cannot take is left out, and the newest still goes next: there is never a backlog. Push ends with \
      its source, or with Ctrl-C.
      """)

  @Argument(help: ArgumentHelp("Where stills come from.", valueName: "source")) var source: String
  @Option(help: ArgumentHelp("Where they go: http://HOST:PORT/ingest/CAMERA.", valueName: "url")) var to: String
  @Option(help: ArgumentHelp("The camera's token.", valueName: "token")) var token = ""
  @Option(
    help: ArgumentHelp(
      "The time between stills: 2s, 500ms; without it, what the server advises.", valueName: "duration"))
  var every: Pace?
  @Option(help: ArgumentHelp("The user for a camera's login.", valueName: "name")) var user: String?
  @Option(help: ArgumentHelp("A file with that user's password.", valueName: "file")) var passwordFile: String?
  @Option(
    help: ArgumentHelp(
      "A PEM file with the camera's certificate, or its issuer's, to check it against.", valueName: "file"))
  var sourceCa: String?
  @Option(help: ArgumentHelp("The JPEG quality of pictures that are not JPEGs yet, 1 to 100.", valueName: "quality"))
  var quality = 75
  @Option(
    help: ArgumentHelp("A PEM file with the certificate that the server's is checked against.", valueName: "file"))
  var ca: String?
  @Flag(help: "Let redirects and playlists of an address lead to other hosts.") var follow = false
  @Flag(help: "Begin again when the source ends.") var loop = false
  @Flag(help: "Begin with --every, and then follow the server's advice.") var followAdvice = false

  func validate() throws {
    guard (1...100).contains(quality) else { throw ValidationError("--quality: found \(quality); accepted: 1 to 100") }
    for (flag, file) in [("--ca", ca), ("--source-ca", sourceCa)] {
      if let file, !FileManager.default.isReadableFile(atPath: file) {
        throw ValidationError("\(flag): cannot read \(file); give a PEM file")
      }
    }
  }

  private func login() throws -> (user: String, password: String)? {
    guard let user else {
      guard passwordFile == nil else { throw ValidationError("--password-file: give --user NAME with it") }
      return nil
    }
    guard let passwordFile else { return (user, "") }
    guard let text = try? InputFile.text(at: passwordFile, most: ServeSettings.mostSecretBytes) else {
      throw ValidationError("--password-file: cannot read \(passwordFile); give a file with the password in it")
    }
    return (user, text.trimmingCharacters(in: .newlines))
  }

  private func target(followsAdvice: Bool) throws -> PushTarget {
    do {
      return try PushTarget(
        url: to, token: token, followsAdvice: followsAdvice, trust: ca.map { .file($0) } ?? .system)
    } catch let error as PushError {
      throw ValidationError(error.description)
    }
  }

  func run() async throws {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "push")
    logger.logLevel = .warning
    FFmpegLog.redirect(to: logger)
    do {
      // An explicit interval is kept instead of the advised one.
      let (every, followAdvice) = (every?.ticks ?? .seconds(2), followAdvice || every == nil)
      let login = try login()
      let target = try target(followsAdvice: followAdvice)
      let pusher =
        source == "demo"
        ? Pusher(
          source: DemoSource(size: PictureSize(width: 640, height: 480), seed: 1, quality: quality), target: target,
          every: every, logger: logger)
        : Pusher(
          source: try await PushSource.open(
            source, every: every, loop: loop, quality: quality, login: login, authority: sourceCa,
            follows: follow),
          target: target, every: every, logger: logger)
      try await ServiceGroup(
        configuration: ServiceGroupConfiguration(
          services: [
            .init(
              service: pusher, successTerminationBehavior: .gracefullyShutdownGroup,
              failureTerminationBehavior: .gracefullyShutdownGroup)
          ], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
      ).run()
    } catch let error as PushError {
      // The command is in order; what it names is not.
      FileHandle.standardError.write(Data("Error: \(error.description)\n".utf8))
      throw ExitCode.failure
    }
  }
}

/// An interval on the command line: `2s`, `0.5s`, `500ms`, `1m`, or bare seconds; 10 ms at least.
struct Pace: ExpressibleByArgument, ExpressibleByStringLiteral {
  let ticks: Ticks

  init?(argument: String) {
    guard let ticks = Ticks(length: argument), ticks >= .milliseconds(10) else { return nil }
    self.ticks = ticks
  }

  init(stringLiteral text: String) { ticks = Pace(argument: text)?.ticks ?? .seconds(2) }

  var defaultValueDescription: String { "\(ticks.secondsText)s" }
}

extension Pace: ExpressibleByUnicodeScalarLiteral, ExpressibleByExtendedGraphemeClusterLiteral {}
