import Logging
import Media
import NIOCore
import Packager
import ServiceLifecycle

/// All cameras of the process: starts their loops and ends them in order.
package struct Station: Service {
  /// Where published media is stored besides memory.
  package enum Store: Hashable, Sendable {
    /// Nowhere.
    case memory
    /// In a folder with one folder for each camera.
    case folder(String)
  }

  /// The cameras, in the order of the configuration.
  package let cameras: [Camera]
  private let store: Store
  private let pool: EncodePool
  private let decoding: EncodePool
  private let publishing: EncodePool
  private let logger: Logger

  /// A station of these cameras.
  ///
  /// - Parameters:
  ///   - pool: runs the cameras' loops.
  ///   - decoding: decodes the stills that no loop can wait for; a separate pool.
  ///   - publishing: publishes what was held until its time; a separate pool.
  package init(
    cameras: [CameraSettings], store: Store, clock: StationClock, pool: EncodePool, decoding: EncodePool,
    publishing: EncodePool, logger: Logger
  ) {
    self.cameras = cameras.map { Camera(settings: $0, clock: clock) }
    self.store = store
    self.pool = pool
    self.decoding = decoding
    self.publishing = publishing
    self.logger = logger
  }

  /// Runs all loops until graceful shutdown or cancellation. Then each publishes its last part, brings its mirror up to
  /// date and ends all waits.
  ///
  /// - Throws: if a camera cannot start: a folder that cannot be written, an encoder that refuses its settings.
  package func run() async throws {
    try await cancelWhenGracefulShutdown {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for camera in cameras {
          group.addTask(executorPreference: pool) { try await runLoop(of: camera) }
        }
        group.addTask { await expireWaiters() }
        do {
          for _ in cameras { try await group.next() }
        } catch {
          group.cancelAll()
          throw error
        }
        group.cancelAll()
      }
    }
    await pool.shutDown()
    await decoding.shutDown()
    await publishing.shutDown()
  }

  /// How long another server may take to end that has the store and is being replaced by this one.
  private static let lockPatience = Duration.seconds(10)

  private func runLoop(of camera: Camera) async throws {
    var logger = logger
    logger[metadataKey: "camera"] = "\(camera.settings.name)"
    var folder: String?
    var mirror: Mirror?
    var dropsPictures = false
    if case .folder(let path) = store {
      let cameraFolder = path + "/" + camera.settings.name.text
      let lock: StoreLock?
      do {
        lock = try await StoreLock.take(folder: cameraFolder, patience: Self.lockPatience) { holder in
          logger.notice("\(holder) uses the store; waiting for it to end", metadata: ["folder": "\(cameraFolder)"])
        }
        let timeline = camera.settings.timeline
        mirror = try Mirror(
          folder: cameraFolder, patience: timeline.part.duration, lookEvery: timeline.segment.duration, lock: lock,
          logger: logger)
      } catch is CancellationError {
        return
      } catch let error as StoreLockError {
        throw StationError(description: error.description)
      } catch {
        throw StationError(
          description: "cannot use the store \(cameraFolder): \(error); "
            + "give the process the right to write there, choose another folder with --store, or use --store memory")
      }
      folder = cameraFolder
      dropsPictures = PictureSettingsFile(folder: cameraFolder).dropsPictures(
        current: LoopSettings(camera.settings), logger: logger)
      // They keep the lock until they are closed, as the mirror does.
      camera.photos.open(folder: cameraFolder, lock: lock, dropsPhotos: dropsPictures, logger: logger)
    }
    do {
      let loop = try CameraLoop.open(
        camera: camera, mirror: mirror, folder: folder, dropsPicture: dropsPictures, reading: .ahead(), holds: true,
        logger: logger)
      let decoder = EarlyDecoder(camera: camera, logger: logger)
      // It ends with the loop.
      async let _ = withTaskExecutorPreference(decoding) { await decoder.run() }
      await loop.run(publishing: publishing)
      await camera.photos.close()
    } catch {
      await camera.photos.close()
      throw StationError(description: "camera \(camera.settings.name) cannot start: \(error)")
    }
  }

  /// Checks the deadlines of waiting viewers, twice a second.
  private func expireWaiters() async {
    while !Task.isCancelled {
      let now = ContinuousClock.now
      for camera in cameras { camera.expire(at: now) }
      try? await Task.sleep(for: .milliseconds(500), tolerance: .zero)
    }
  }
}

/// Why a station cannot run, as one sentence that says what to do.
package struct StationError: Error, CustomStringConvertible, Sendable {
  /// The sentence.
  package let description: String
}
