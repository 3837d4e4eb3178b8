import ArgumentParser
import Camera
import Foundation
import Logging
import Media
import Origin
import Packager
import Picture
import Settings
import Station
import UnixSignals

/// `quietcam loop`: makes the loop that is shown when a camera is off.
struct LoopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "loop",
    abstract: "Make the loop that a camera shows when it is off, or veiled.",
    discussion: """
      SOURCE is a folder of JPEGs, shown in the order of their names, or a video file, played at its own speed. Without \
      SOURCE, --record takes what the camera has shown lately from the running server. Without both, the loop is made \
      again from its old source.

      It is encoded with the camera's own settings, so give the same file, environment and flags as to `quietcam \
      serve`. When these settings change, it must be made again. It is in the store, in CAMERA/loop/; until it is \
      complete, the old one stays. A loop has whole segments: the last picture stays until its segment is full.
      """)

  @Argument(help: ArgumentHelp("A folder of JPEGs, or a video file.", valueName: "source")) var source: String?
  @Option(
    help: ArgumentHelp(
      "The time between stills, or between the pictures that are taken from a video (default: the camera's "
        + "interval; for a video, as many as the rate allows)", valueName: "duration"))
  var every: Pace?
  @Option(
    help: ArgumentHelp(
      "The longest loop: 10m, 90s, 1h (default: its source, at most 1h)", valueName: "duration"))
  var length: Length?
  @Option(help: ArgumentHelp("Take what the camera has shown for this time: 10m.", valueName: "duration"))
  var record: Length?
  @Option(
    help: ArgumentHelp(
      "The private address of the server for --record (default: from the settings)", valueName: "http://host:port"))
  var server: String?
  @Option(
    help: ArgumentHelp("A PEM file with the certificate that the server's is checked against.", valueName: "file"))
  var ca: String?
  @Option(help: ArgumentHelp("A YAML file with settings.", valueName: "file")) var config: String?
  @OptionGroup(title: "Settings") var flags: ServeFlags

  func run() async throws {
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "loop")
    logger.logLevel = .warning
    FFmpegLog.redirect(to: logger)
    let order: LoopOrder
    do { order = try self.order(logger: logger) } catch let error as LoopError {
      throw ValidationError(error.description)
    }
    let pool = EncodePool(threads: 1)
    do {
      let text = try await withThrowingTaskGroup(of: String.self) { group in
        group.addTask(executorPreference: pool) { try await order.carryOut() }
        group.addTask {
          // If the command is ended, the old loop stays and no files are left over.
          for await signal in await UnixSignalsSequence(trapping: .sigint, .sigterm) {
            throw ExitCode(128 + signal.rawValue)
          }
          throw CancellationError()
        }
        defer { group.cancelAll() }
        do {
          return try await group.next() ?? ""
        } catch {
          // What was started is removed before the process ends.
          group.cancelAll()
          while (try? await group.next()) != nil {}
          throw error
        }
      }
      await pool.shutDown()
      print(text)
    } catch {
      await pool.shutDown()
      switch error {
      case let error as PushError: throw ValidationError(error.description)
      case let error as LoopError: throw ValidationError(error.description)
      case let error as FFmpegError: throw ValidationError(error.description)
      default: throw error
      }
    }
  }

  /// The work to do, complete before anything is started.
  private func order(logger: Logger) throws -> LoopOrder {
    let settings = try cameraSettings()
    guard case .folder(let store) = settings.all.store else {
      throw LoopError(description: "a loop is stored in a folder, and the store is memory; give a folder with --store")
    }
    let camera = settings.camera
    let folder = "\(store)/\(camera.name)"
    var (path, kind, every, length) = (source, nil as LoopSource.Kind?, every?.ticks, self.length?.ticks)
    if let record {
      guard source == nil else {
        throw LoopError(
          description: "a loop is made from \(source ?? "") or from the camera itself; leave out --record or SOURCE")
      }
      (kind, length) = (.recording, record.ticks)
    } else if source == nil {
      guard let stored = LoopSource.ofLoop(in: folder) else {
        throw LoopError(
          description: "\(folder) has no loop that could be made again; give a SOURCE, a folder of JPEGs or a video "
            + "file, or give --record 10m")
      }
      (kind, path) = (stored.kind, stored.path)
      every = every ?? stored.every.map { Ticks($0) }
      length = length ?? stored.length.map { Ticks($0) }
    }
    let step = camera.timeline.step
    if let every, every < step {
      throw LoopError(
        description: "--every: found \(every); accepted: at least \(step), the time between the pictures of this "
          + "camera's stream")
    }
    return LoopOrder(
      camera: camera, folder: folder, every: every, length: length,
      task: kind == .recording ? .recording(try recording(of: camera, settings.all, length)) : try task(path),
      logger: logger)
  }

  private func task(_ path: String?) throws -> LoopOrder.Task {
    if let path, let address = URLComponents(string: path), let scheme = address.scheme, path.contains("://") {
      // Without a login that may stand in it.
      let shown = "\(scheme)://\(address.host ?? "")\(address.port.map { ":\($0)" } ?? "")\(address.path)"
      throw LoopError(
        description: "\(shown) is an address, and a loop is made from a folder of JPEGs or a video file on this "
          + "machine; download it first, or show it with `quietcam push` and make the loop with --record")
    }
    let path = URL(fileURLWithPath: path ?? "").standardizedFileURL.path
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw LoopError(
        description: "no file or folder is at \(path); a loop is made from a folder of JPEGs or a video file")
    }
    guard FileManager.default.isReadableFile(atPath: path) else {
      throw LoopError(description: "cannot read \(path); check its permissions")
    }
    return isFolder.boolValue || Self.beginsAsJPEG(path) ? .stills(path) : .video(path)
  }

  private static func beginsAsJPEG(_ path: String) -> Bool {
    guard let file = FileHandle(forReadingAtPath: path) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: 3)) == Data([0xFF, 0xD8, 0xFF])
  }

  private func recording(of camera: CameraSettings, _ settings: ServeSettings, _ length: Ticks?) throws
    -> RecordingFetch
  {
    var address = settings.privateAddress
    if address.host == "0.0.0.0" { address.host = "127.0.0.1" }
    if address.host == "::" { address.host = "::1" }
    let certificate = settings.privateCertificate?.certificate
    do {
      return try RecordingFetch(
        server: server ?? "\(certificate == nil ? "http" : "https")://\(address)", camera: camera.name,
        length: length ?? .seconds(600), token: try settings.operatorToken(for: server),
        trust: ca.map { .file($0) } ?? (server == nil ? certificate.map { .file($0) } : nil) ?? .system)
    } catch {
      throw LoopError(description: "\(error)")
    }
  }

  /// The settings of the loop's camera, and all others.
  private func cameraSettings() throws -> (camera: CameraSettings, all: ServeSettings) {
    var given = flags.given
    // A loop does not need the token that stills are pushed with.
    if given["token"] == nil, given["token-file"] == nil { given["token"] = "not-asked-for" }
    let settings = try ServeSettings.load(config: config, flags: given)
    let names = settings.cameras.map(\.name.text).joined(separator: ", ")
    guard let wanted = flags.camera ?? ProcessInfo.processInfo.environment["QUIETCAM_CAMERA"] else {
      guard settings.cameras.count == 1 else {
        throw LoopError(description: "which camera is the loop for? Give --camera, one of \(names)")
      }
      return (settings.cameras[0], settings)
    }
    // A name that the file does not have adds a camera, which is meant only if there is no file.
    var others = given
    others["camera"] = nil
    if flags.camera != nil, let known = try? ServeSettings.load(config: config, flags: others),
      !known.cameras.contains(where: { $0.name.text == wanted })
    {
      let names = known.cameras.map(\.name.text).joined(separator: ", ")
      throw LoopError(description: "--camera: found \(wanted), which the settings do not know; accepted: \(names)")
    }
    guard let camera = settings.cameras.first(where: { $0.name.text == wanted }) else {
      throw LoopError(description: "--camera: found \(wanted); accepted: \(names)")
    }
    return (camera, settings)
  }
}
