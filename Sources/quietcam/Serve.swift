import Access
import ArgumentParser
import Bucket
import Camera
import Foundation
import Logging
import Media
import NIOCore
import Notify
import Origin
import Picture
import Records
import ServiceLifecycle
import Settings
import Station
import UnixSignals

/// `quietcam serve`: the server.
struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Receive stills, make the stream, serve it.",
    discussion: """
      Settings come from a YAML file (--config), then from the environment (QUIETCAM_PUBLIC, QUIETCAM_MAX_KILOBITS, ...), \
      then from these flags; each wins over the one before. The file has the same keys:

        public: 0.0.0.0:8080
        cameras:
          desk:
            token: SECRET
            size: 640x480
            masks:
              - rectangle: {x: 0.1, y: 0.2, width: 0.3, height: 0.4}   # fractions of the picture

      The public address serves viewers and accepts only waves from them. The private one takes stills \
      (POST or PUT /ingest/CAMERA) and answers operators; keep it away from the internet.
      """)

  @Option(help: ArgumentHelp("A YAML file with settings.", valueName: "file")) var config: String?
  @OptionGroup(title: "Settings") var flags: ServeFlags

  /// Descriptors that are reserved for cameras, the store and the libraries.
  private static let keptDescriptors = 256

  func run() async throws {
    CoreDumps.forbid()
    FreedMemory.overwrite()
    HugePages.forbid()
    let input = SettingsInput(config: config, flags: flags.given)
    var loaded: SettingsInput.Loaded
    do { loaded = try input.load() } catch let error as SettingsError { throw ValidationError(error.description) }
    var settings = loaded.settings
    // Only the digest is needed to check tokens.
    settings.operatorSecret = nil
    // Without a word about the time zone the C library looks at its file for each line of the log.
    setenv("TZ", ":/etc/localtime", 0)
    let format = settings.log.format
    LoggingSystem.bootstrap { label in
      switch format {
      case .text: StreamLogHandler.standardError(label: label)
      case .json: JSONLog()
      }
    }
    var logger = Logger(label: "quietcam")
    logger.logLevel = Logger.Level(rawValue: settings.log.level.rawValue) ?? .info
    FFmpegLog.redirect(to: logger)
    // The system's own answer to a terminal or a supervisor that hangs up would be the end.
    Reloader.outliveHangUps()
    let plainWeb = try webAssets()
    var web = plainWeb
    do {
      if let icon = settings.site.iconFile { try web.takeIcon(from: icon) }
    } catch {
      throw ValidationError(error.description)
    }
    if settings.isDemo { settings.site.sampleCamera = CameraName(ServeSettings.demoName) }
    if !web.hasPlayerLibrary {
      logger.warning(
        "hls.js is not installed: browsers use their own HLS, far behind live, or show pictures. `make` installs it."
      )
    }
    let descriptors = OpenFiles.raiseLimit()
    guard descriptors >= OpenFiles.least else { throw ValidationError(OpenFiles.tooFew(descriptors)) }
    do { try PrivateFolders.prepare(settings) } catch {
      throw ValidationError(
        "store: cannot close a folder to other users: \(error.localizedDescription); give a folder that is yours")
    }
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let limits = accessLimits(settings, descriptors: descriptors, logger: logger)
    let buckets = settings.bucket.map { _ in CameraBuckets(now: StationClock.system().now) }
    let station = Station(
      cameras: settings.cameras, store: settings.store.station, clock: .system(), pool: EncodePool(threads: cores),
      decoding: EncodePool(threads: cores), publishing: EncodePool(threads: 1),
      load: LoadWatch(isOn: settings.stepsDown), copy: { buckets?.copy(of: $0) },
      recentMemory: RecentMemory(limit: settings.rememberMegabytes << 20), logger: logger)
    let copier = buckets.flatMap { buckets in
      settings.bucket.map { bucket in
        BucketCopier(bucket, buckets: buckets, cameras: { station.cameras }, wall: { .now }, logger: logger)
      }
    }
    let records = Records(
      folder: settings.store.path, keptDays: settings.keepVisits,
      readings: { station.cameras.map { CameraReading($0) } }, wall: { .now }, logger: logger)
    loaded.settings = settings
    do {
      var configuration = ServiceGroupConfiguration(
        services: try services(
          (input, loaded), station: station, copier: copier, web: (plainWeb, web), limits: limits, records: records,
          logger: logger),
        gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(logger))
      // Connections that have not ended by then, because they do not read or send, are closed.
      configuration.maximumGracefulShutdownDuration = .seconds(3)
      try await ServiceGroup(configuration: configuration).run()
    } catch let error as CertificateError {
      throw ValidationError(error.description)
    } catch let error as StationError {
      throw ValidationError(error.description)
    } catch let error as InheritedSocketError {
      throw ValidationError(error.description)
    } catch let error as ListenError {
      throw ValidationError(error.description)
    } catch let error as IOError {
      throw ValidationError("\(error): \(SystemAdvice.sentence(error.errnoCode))")
    }
  }

  private func webAssets() throws -> WebAssets {
    do { return try WebAssets.bundled() } catch { throw ValidationError("\(error)") }
  }

  /// Starts in this order and ends in the opposite one: the station's last parts are sent before the listeners close.
  private func services(
    _ start: (input: SettingsInput, loaded: SettingsInput.Loaded), station: Station, copier: BucketCopier?,
    web: (plain: WebAssets, own: WebAssets), limits: AccessLimits, records: Records, logger: Logger
  ) throws -> [ServiceGroupConfiguration.ServiceConfiguration] {
    let settings = start.loaded.settings
    let operatorToken = try OperatorToken(settings, logger: logger)
    let ports = Announcement(settings: settings, operatorToken: operatorToken, logger: logger)
    let certificates = try (
      settings.publicCertificate.map { try CertificateKeeper(files: $0, logger: logger) },
      settings.privateCertificate.map { try CertificateKeeper(files: $0, logger: logger) }
    )
    let (queue, renewal) = (ReloadQueue(), LoopRenewal(settings, logger: logger))
    let desk = try OperatorDesk(settings, records: records, cameras: { station.cameras }, web: web.own)
    let doors = Doors(
      settings.doorState(cameras: station.cameras, web: web.own, operatorToken: operatorToken.digest), limits: limits,
      isSecure: settings.publicCertificate != nil, records: records, desk: desk, configurator: queue, logger: logger)
    let notifier = Notifier(
      settings.notify, link: NoticeSources.links(settings, station: station), cameras: settings.cameras.count,
      sources: NoticeSources.of(
        station: station, certificates: [certificates.0, certificates.1].compactMap { $0 }, limits: limits),
      logger: logger)
    var sockets = try InheritedSockets(environment: ProcessInfo.processInfo.environment)
    let publicDoor = settings.publicAddress.door(certificates.0, &sockets)
    let privateDoor = settings.privateAddress.door(certificates.1, &sockets)
    try sockets.finish()
    // The records end last, and so have all that was sent.
    var services: [any Service] = [records] + [certificates.0, certificates.1].compactMap { $0 }
    // What the cameras publish last is copied too.
    if let copier { services.append(copier) }
    services += [
      try Listeners.publicDoor(
        at: publicDoor, doors: doors, patience: settings.patience.duration, logger: logger,
        onListening: { [outside = desk.outside] port in
          outside.isOpen(port: port)
          ports.publicIsOpen(port: port)
        }),
      try Listeners.privateDoor(
        at: privateDoor, doors: doors, patience: settings.patience.duration, logger: logger,
        onListening: { ports.privateIsOpen(port: $0) }),
      desk.watch,
      station,
      renewal,
      notifier,
      Reloader(
        input: start.input, start: start.loaded, queue: queue,
        parts: Reloader.Parts(
          station: station, doors: doors, desk: desk, notifier: notifier, renewal: renewal,
          certificates: certificates, operatorToken: operatorToken, web: web.plain),
        logger: logger),
    ]
    if settings.isDemo, let token = settings.demoToken,
      let camera = settings.cameras.first(where: { $0.name.text == ServeSettings.demoName })
    {
      services.append(
        DemoCamera(
          settings: camera, token: token.text, port: ports.privatePort, host: settings.privateAddress.host,
          isSecure: settings.privateCertificate != nil))
    }
    return services.map {
      ServiceGroupConfiguration.ServiceConfiguration(
        service: NamedService($0), successTerminationBehavior: .gracefullyShutdownGroup,
        failureTerminationBehavior: .gracefullyShutdownGroup)
    }
  }

  /// The limits of both listeners: each has descriptors that the other cannot take.
  private func accessLimits(_ settings: ServeSettings, descriptors: Int, logger: Logger) -> AccessLimits {
    let free = max(64, descriptors - Self.keptDescriptors)
    let cameras = min(settings.privateConnections, free / 2)
    let viewers = min(settings.publicConnections ?? .max, free - cameras)
    if cameras < settings.privateConnections || viewers < settings.publicConnections ?? 0 {
      logger.warning(
        "the system lets this process open \(descriptors) files, so there are \(viewers) public and \(cameras) private connections; raise the limit with `ulimit -n`"
      )
    }
    return AccessLimits(
      viewers: .init(total: viewers, perAddress: settings.connectionsPerAddress),
      cameras: .init(total: cameras, perAddress: settings.connectionsPerAddress),
      uploads: UploadMemory(limit: settings.uploadMegabytes << 20, cameras: settings.cameras.count))
  }

  /// The service group logs every step of its own; only problems are worth a line.
  private func quiet(_ logger: Logger) -> Logger {
    var logger = logger
    if logger.logLevel >= .info { logger.logLevel = .error }
    return logger
  }
}

extension ListenAddress {
  func door(_ certificate: CertificateKeeper?, _ sockets: inout InheritedSockets) -> ListenerAddress {
    // A socket unit that stands at one of the hosts says where to listen.
    ListenerAddress(
      hosts: hosts, port: port, certificate: certificate,
      sockets: hosts.compactMap { sockets.take(host: $0, port: port) })
  }
}

extension ServeSettings.Store {
  /// Its folder; `nil` where nothing is kept on disk.
  var path: String? {
    switch self {
    case .memory: nil
    case .folder(let path): path
    }
  }

  var station: Station.Store {
    switch self {
    case .memory: .memory
    case .folder(let path): .folder(path)
    }
  }
}
