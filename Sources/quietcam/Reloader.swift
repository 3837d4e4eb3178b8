import Access
import Foundation
import Logging
import Media
import NIOPosix
import Notify
import Origin
import ServiceLifecycle
import Settings
import Station
import UnixSignals

/// Reads the configuration anew on SIGHUP and on an operator's request, and brings cameras, doors, certificates and
/// folders to it while the server runs. It is the only one that changes them, one order after another.
struct Reloader: Service {
  /// What it changes.
  struct Parts: Sendable {
    let station: Station
    let doors: Doors
    let desk: OperatorDesk
    let notifier: Notifier
    let renewal: LoopRenewal
    let certificates: (public: CertificateKeeper?, private: CertificateKeeper?)
    /// The operator's token at the start.
    let operatorToken: OperatorToken
    /// The pages without the operator's icon.
    let web: WebAssets
  }

  private let input: SettingsInput
  private let start: SettingsInput.Loaded
  private let queue: ReloadQueue
  private let parts: Parts
  private let logger: Logger

  /// The reloader of a process that has begun with these settings.
  init(input: SettingsInput, start: SettingsInput.Loaded, queue: ReloadQueue, parts: Parts, logger: Logger) {
    self.input = input
    self.start = start
    self.queue = queue
    self.parts = parts
    self.logger = logger
  }

  /// Keeps SIGHUP from ending the process before `run` listens to it.
  static func outliveHangUps() { signal(SIGHUP, SIG_IGN) }

  /// Carries out orders until graceful shutdown or cancellation.
  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withDiscardingTaskGroup { group in
        group.addTask { await listenToHangUps() }
        var current = start
        var intakes = Intakes(logger: logger)
        intakes.change(to: Intakes.plans(current.settings), cameras: parts.station.cameras, in: &group)
        while let (order, waiter) = await queue.next() {
          let before = current
          let answer = await carryOut(order, &current)
          if current.settings != before.settings {
            intakes.change(to: Intakes.plans(current.settings), cameras: parts.station.cameras, in: &group)
          }
          waiter.resume(returning: answer)
        }
        queue.end()
        group.cancelAll()
      }
    }
  }

  private func listenToHangUps() async {
    for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
      logger.notice("SIGHUP: the settings are read anew")
      _ = await queue.carryOut(.reload)
    }
  }

  // MARK: Orders

  private func carryOut(
    _ order: ConfigurationOrder, _ current: inout SettingsInput.Loaded
  ) async -> ConfigurationAnswer {
    do {
      switch order {
      case .reload:
        guard input.isReadable else {
          throw Impossible(
            word: "readOnce",
            detail: "\(input.config ?? "") is a pipe and cannot be read again; give a file with --config, or restart")
        }
        let loaded = try await blocking { [input] in try input.load() }
        let applied = try await apply(loaded, &current)
        return ConfigurationAnswer(.done, json: applied.json)
      case .read(let name):
        guard current.settings.doors[name] != nil else { return Self.unknown(name) }
        let own = current.cameraFiles.first { $0.camera == name }
        return ConfigurationAnswer(.done, json: CameraFile.report(of: name, file: current.file, own: own))
      case .write(let name, let text): return try await write(name, text, &current)
      case .remove(let name): return try await remove(name, &current)
      }
    } catch let error as SettingsError {
      for problem in error.problems { logger.error("nothing was changed: \(problem)") }
      return Self.mistakes(error)
    } catch let error as Impossible {
      logger.error("nothing was changed: \(error.detail)")
      return ConfigurationAnswer(.impossible, error: error.word, detail: error.detail)
    } catch {
      logger.error("nothing was changed: \(error)")
      return ConfigurationAnswer(.mistaken, error: "notUsable", detail: "\(error)")
    }
  }

  private func write(
    _ name: CameraName, _ text: String, _ current: inout SettingsInput.Loaded
  ) async throws -> ConfigurationAnswer {
    let folder = try folder(of: current)
    let isNew = current.settings.doors[name] == nil
    let file = try CameraFile.written(
      text, for: name, path: folder.path(of: name), in: "request",
      earlier: current.cameraFiles.first { $0.camera == name })
    let others = current.cameraFiles.filter { $0.camera != name }
    let loaded = try await load(current, files: (others + [file]).sorted { $0.path < $1.path })
    // What cannot begin is found out before anything is written.
    try await parts.station.prepare(loaded.settings.cameras)
    try await blocking { do { try folder.write(file) } catch { throw Impossible("notKept", error) } }
    let applied: Applied
    do {
      applied = try await apply(loaded, &current)
    } catch {
      let earlier = current.cameraFiles.first { $0.camera == name }
      try? await blocking { if let earlier { try folder.write(earlier) } else { try folder.remove(name) } }
      throw error
    }
    return ConfigurationAnswer(isNew ? .created : .done, json: applied.json(of: name, file: file.path))
  }

  private func remove(
    _ name: CameraName, _ current: inout SettingsInput.Loaded
  ) async throws -> ConfigurationAnswer {
    guard current.settings.doors[name] != nil else { return Self.unknown(name) }
    guard let file = current.cameraFiles.first(where: { $0.camera == name }) else {
      let place = current.file?.path ?? "flags or environment"
      throw Impossible(
        word: "notOurs",
        detail: "camera \(name) is in the configuration that a person writes (\(place)); remove it there and reload")
    }
    let folder = try folder(of: current)
    let loaded = try await load(current, files: current.cameraFiles.filter { $0.camera != name })
    try await blocking { do { try folder.remove(name) } catch { throw Impossible("notKept", error) } }
    let applied: Applied
    do {
      applied = try await apply(loaded, &current)
    } catch {
      try? await blocking { try folder.write(file) }
      throw error
    }
    return ConfigurationAnswer(.done, json: applied.json(of: name, file: nil))
  }

  private func folder(of current: SettingsInput.Loaded) throws -> CameraFolder {
    if let folder = current.folder { return folder }
    throw Impossible(
      word: "nowhere",
      detail: "there is nowhere to keep a camera's settings: the store is in memory and there is no file with "
        + "--config; give one of them")
  }

  /// The settings that are in force, with other files of cameras.
  private func load(
    _ current: SettingsInput.Loaded, files: [CameraFile]
  ) async throws -> SettingsInput.Loaded {
    let file = current.file
    return try await blocking { [input] in try input.load(file, cameraFiles: files) }
  }

  // MARK: Changes

  /// Brings everything to new settings.
  ///
  /// - Throws: why nothing was changed.
  private func apply(
    _ loaded: SettingsInput.Loaded, _ current: inout SettingsInput.Loaded
  ) async throws -> Applied {
    let change = SettingsChange(from: current.settings, to: loaded.settings, start: start.settings)
    let settings = change.settings
    // What can fail comes first.
    let web = try await blocking { [web = parts.web] in
      var web = web
      if let icon = settings.site.iconFile { try web.takeIcon(from: icon) }
      try PrivateFolders.prepare(settings)
      return web
    }
    let operatorToken = try await blocking { [start = parts.operatorToken, logger] in
      try start.afterReload(settings, logger: logger)
    }
    let certificates = try await blocking { [keepers = parts.certificates] in
      [
        try settings.publicCertificate.flatMap { try keepers.public?.read($0) },
        try settings.privateCertificate.flatMap { try keepers.private?.read($0) },
      ]
    }
    try await parts.station.prepare(settings.cameras)
    try await parts.station.add(change.added)
    // From here on nothing is refused.
    let renewed = zip([parts.certificates.public, parts.certificates.private], certificates).map { keeper, fresh in
      fresh.map { keeper?.take($0) ?? false } ?? false
    }
    let failures = await parts.station.change(change.changed)
    parts.station.arrange(settings.cameras.map(\.name))
    let gone = Set(change.removed)
    parts.doors.replace(
      with: settings.doorState(
        cameras: parts.station.cameras.filter { !gone.contains($0.name) }, web: web, operatorToken: operatorToken))
    await parts.station.remove(gone)
    do { try parts.desk.tokens.read() } catch { logger.warning("\(error); the tokens stay as they were") }
    parts.renewal.renew(settings)
    parts.desk.replace(linkKey: settings.linkKey, base: settings.site.baseURL)
    do { try parts.desk.tokens.read() } catch { logger.warning("\(error); the tokens stay as they were") }
    parts.notifier.replace(with: settings.notify, link: NoticeSources.links(settings, station: parts.station))
    (current, current.settings) = (loaded, settings)
    let applied = Applied(change: change, certificates: renewed.contains(true), failures: failures.map(\.description))
    tell(applied)
    return applied
  }

  private func tell(_ applied: Applied) {
    logger.notice("\(applied.sentence)")
    if !applied.change.waiting.isEmpty {
      logger.warning("\(applied.change.waiting.joined(separator: ", ")): changed, and taken with the next restart")
    }
  }

  /// Does work that blocks, away from Swift's pool.
  private func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await NIOThreadPool.singleton.runIfActive(work)
  }

  // MARK: Answers

  /// Why an order is not possible as things are.
  private struct Impossible: Error {
    let word: String
    let detail: String

    init(word: String, detail: String) { (self.word, self.detail) = (word, detail) }
    init(_ word: String, _ error: any Error) { (self.word, detail) = (word, "\(error)") }
  }

  private static func unknown(_ name: CameraName) -> ConfigurationAnswer {
    ConfigurationAnswer(
      .unknown, error: "unknownCamera", detail: "no camera \(name) is configured; /status lists them")
  }

  private static func mistakes(_ error: SettingsError) -> ConfigurationAnswer {
    let items = error.problems.map { problem in
      "{\"place\":\(problem.place.jsonQuoted),\"setting\":\(problem.key.jsonQuoted)"
        + ",\"detail\":\(problem.message.jsonQuoted)}"
    }
    let count = items.count == 1 ? "a mistake" : "\(items.count) mistakes"
    return ConfigurationAnswer(
      .mistaken,
      json: "{\"error\":\"mistakes\",\"detail\":\"the settings have \(count), and nothing was changed\""
        + ",\"mistakes\":[\(items.joined(separator: ","))]}")
  }
}

/// What was changed, for people and programs.
struct Applied: Sendable {
  let change: SettingsChange
  /// Whether a certificate is another one now.
  let certificates: Bool
  /// Cameras that have not gone on yet.
  let failures: [String]

  /// One line of JSON.
  var json: String { "{\(fields)}" }

  /// The same for a request about one camera.
  func json(of camera: CameraName, file: String?) -> String {
    "{\"camera\":\(camera.text.jsonQuoted),\"file\":\(file?.jsonQuoted ?? "null"),\(fields)}"
  }

  private var fields: String {
    func list(_ name: String, _ items: [String]) -> String {
      "\"\(name)\":[\(items.map(\.jsonQuoted).joined(separator: ","))]"
    }
    return [
      list("added", change.added.map(\.name.text)), list("removed", change.removed.map(\.text)),
      list("changed", (change.changed.map(\.name) + change.changedDoors).map(\.text)), list("settings", change.keys),
      list("needsRestart", change.waiting), "\"certificates\":\(certificates)", list("failures", failures),
    ].joined(separator: ",")
  }

  /// One sentence for the log.
  var sentence: String {
    func part(_ what: String, _ names: [String]) -> String? {
      names.isEmpty ? nil : "\(what) \(names.joined(separator: ", "))"
    }
    let parts = [
      part("added", change.added.map(\.name.text)), part("removed", change.removed.map(\.text)),
      part("changed", (change.changed.map(\.name) + change.changedDoors).map(\.text)), part("set", change.keys),
      certificates ? "took another certificate" : nil,
    ].compactMap { $0 }
    return "the settings were read anew: \(parts.isEmpty ? "nothing has changed" : parts.joined(separator: "; "))"
  }
}

extension ServeSettings {
  /// What the listeners answer from with these settings.
  func doorState(cameras: [Camera], web: WebAssets, operatorToken: TokenDigest) -> DoorState {
    var doors = doors
    if case .folder(let store) = store {
      for name in doors.keys { doors[name]?.signedTimes = "\(store)/\(name)/signed-until" }
    }
    return DoorState(
      cameras: cameras, doors: doors, web: web, site: site, linkKey: linkKey, operatorToken: operatorToken,
      privateHosts: PrivateHosts(names: privateHosts + [privateAddress.host]), trustedProxies: trustedProxies)
  }
}
