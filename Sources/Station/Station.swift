import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager
import ServiceLifecycle

/// All cameras of the process: starts their loops, ends them in order, and changes them while the others go on.
///
/// One task for each camera runs its loops, one after another; all of them are children of `run`. Whoever changes
/// cameras must do one thing after another.
package final class Station: Service {
  /// Where published media is stored besides memory.
  package enum Store: Hashable, Sendable {
    /// Nowhere.
    case memory
    /// In a folder with one folder for each camera.
    case folder(String)
  }

  private struct State {
    /// The cameras, in the order of the configuration.
    var seats: [CameraSeat]
    /// Those of them whose tasks have not begun.
    var fresh: [CameraSeat]
    /// Why the station ends: a camera that was there from the start cannot begin.
    var failure: StationError?
    var isOver = false
    /// How many seats there were so far.
    var places: Int
  }

  private let state: NIOLockedValueBox<State>
  /// Wakes `run`.
  private let signal = Signal()
  private let store: Store
  private let clock: StationClock
  private let copy: @Sendable (CameraName) -> (any StreamCopy)?
  private let pool: EncodePool
  private let recentMemory: RecentMemory
  private let decoding: EncodePool
  private let slates = SlateShelf()
  private let publishing: EncodePool
  /// How busy the encode threads are, and how far all cameras are stepped down.
  package let load: LoadWatch
  private let logger: Logger

  /// A station of these cameras.
  ///
  /// - Parameters:
  ///   - pool: runs the cameras' loops.
  ///   - decoding: decodes the stills that no loop can wait for; a separate pool.
  ///   - publishing: publishes what was held until its time; a separate pool.
  ///   - load: steps cameras down where there is too little room.
  ///   - copy: where a camera's stream is copied to.
  ///   - recentMemory: what all cameras may take together for what they showed lately.
  package init(
    cameras: [CameraSettings], store: Store, clock: StationClock, pool: EncodePool, decoding: EncodePool,
    publishing: EncodePool, load: LoadWatch = LoadWatch(),
    copy: @escaping @Sendable (CameraName) -> (any StreamCopy)? = { _ in nil },
    recentMemory: RecentMemory = RecentMemory(limit: 64 << 20), logger: Logger
  ) {
    let seats = cameras.enumerated().map { place, settings in
      CameraSeat(
        Camera(settings: settings, clock: clock, load: load, copy: copy(settings.name), recentMemory: recentMemory),
        place: place, isOfStart: true)
    }
    (self.load, self.copy, self.recentMemory) = (load, copy, recentMemory)
    state = NIOLockedValueBox(State(seats: seats, fresh: seats, places: seats.count))
    self.store = store
    self.clock = clock
    self.pool = pool
    self.decoding = decoding
    self.publishing = publishing
    self.logger = logger
  }

  /// The cameras now, in the order of the configuration; read it anew each time, since it changes with a reload.
  package var cameras: [Camera] { state.withLockedValue { $0.seats.map(\.camera) } }

  // MARK: Changes

  /// Makes what cameras with these settings need before they can begin, and finds out what cannot begin.
  ///
  /// - Throws: `StationError` with the camera and the setting.
  package func prepare(_ cameras: [CameraSettings]) async throws {
    try await slates.prepare(cameras, on: pool, logger: logger)
  }

  /// Adds cameras, and returns when all of them are shown.
  ///
  /// - Throws: `StationError` for a camera that cannot begin; then none is added.
  package func add(_ cameras: [CameraSettings]) async throws {
    guard !cameras.isEmpty else { return }
    try await prepare(cameras)
    let seats = try state.withLockedValue { state in
      guard !state.isOver else { throw StationError(description: "the server is ending") }
      let seats = cameras.enumerated().map { index, settings in
        CameraSeat(
          Camera(settings: settings, clock: clock, load: load, copy: copy(settings.name), recentMemory: recentMemory),
          place: state.places + index, isOfStart: false)
      }
      state.seats += seats
      state.fresh += seats
      state.places += seats.count
      return seats
    }
    signal.fire()
    var failure: StationError?
    for seat in seats {
      if let why = await seat.done() { failure = failure ?? why }
    }
    guard let failure else { return }
    await remove(Set(cameras.map(\.name)))
    throw failure
  }

  /// Changes the settings of cameras, and returns when all of them are shown again. A camera whose loop needs nothing
  /// new goes on without a break; the loop of any other ends in order, and a new one goes on with the stream.
  ///
  /// - Returns: what could not begin again so far, which is tried again and again.
  @discardableResult package func change(_ cameras: [CameraSettings]) async -> [StationError] {
    let seats = seats
    var waiting: [CameraSeat] = []
    for settings in cameras {
      guard let seat = seats.first(where: { $0.camera.name == settings.name }) else { continue }
      guard settings.needsNewLoop(after: seat.camera.settings) else {
        let hadOtherHours = seat.camera.settings.hours != settings.hours
        seat.camera.change(to: settings)
        if hadOtherHours { _ = await seat.camera.carryOut(.hours(settings.hours)) }
        continue
      }
      seat.order(.change(settings))
      waiting.append(seat)
    }
    var failures: [StationError] = []
    for seat in waiting {
      if let why = await seat.done() { failures.append(why) }
    }
    return failures
  }

  /// Removes cameras, and returns when their loops have ended. What they have in the store stays.
  package func remove(_ names: Set<CameraName>) async {
    let gone = state.withLockedValue { state in
      defer { state.seats.removeAll { names.contains($0.camera.name) } }
      return state.seats.filter { names.contains($0.camera.name) }
    }
    for seat in gone { seat.order(.end) }
    for seat in gone { _ = await seat.done() }
    slates.keep(for: cameras.map(\.settings))
  }

  /// Brings the cameras into this order.
  package func arrange(_ names: [CameraName]) {
    let places = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    state.withLockedValue { state in
      state.seats.sort { places[$0.camera.name] ?? .max < places[$1.camera.name] ?? .max }
    }
  }

  private var seats: [CameraSeat] { state.withLockedValue { $0.seats } }

  // MARK: The loops

  /// Runs all loops until graceful shutdown or cancellation. Then each publishes its last part, brings its mirror up to
  /// date and ends all waits.
  ///
  /// - Throws: if a camera of the start cannot start: a folder that cannot be written, an encoder that refuses its
  ///   settings.
  package func run() async throws {
    try await cancelWhenGracefulShutdown { [self] in
      try await prepare(cameras.map(\.settings))
      await withDiscardingTaskGroup { group in
        group.addTask { await self.expireWaiters() }
        group.addTask { await self.watchLoad() }
        while !Task.isCancelled {
          let (fresh, hasFailed) = state.withLockedValue { state in
            defer { state.fresh = [] }
            return (state.fresh, state.failure != nil)
          }
          if hasFailed { break }
          for seat in fresh {
            group.addTask(executorPreference: self.pool) { await self.keep(seat) }
          }
          await signal.wait()
        }
        group.cancelAll()
      }
    }
    let (unbegun, failure) = state.withLockedValue { state in
      state.isOver = true
      defer { state.fresh = [] }
      return (state.fresh, state.failure)
    }
    for seat in unbegun { seat.end() }
    await pool.shutDown()
    await decoding.shutDown()
    await publishing.shutDown()
    if let failure { throw failure }
  }

  /// How long another server may take to end that has the store and is being replaced by this one.
  private static let lockPatience = Duration.seconds(10)
  /// How long after a loop that could not begin it is tried again.
  private static let pause = Duration.seconds(5)

  /// Runs the loops of a camera, one after another, until it is removed or the process ends.
  private func keep(_ seat: CameraSeat) async {
    var run = CameraRun()
    var mustBegin = seat.isOfStart
    defer {
      seat.camera.end()
      seat.end()
    }
    while !Task.isCancelled {
      do {
        run.left = try await live(seat, run: &run)
        mustBegin = false
      } catch {
        let failure = (error as? StationError) ?? StationError(description: "\(error)")
        guard !mustBegin else {
          state.withLockedValue { $0.failure = $0.failure ?? failure }
          return signal.fire()
        }
        logger.error("\(failure)", metadata: ["camera": "\(seat.camera.name)"])
        seat.settle(failure)
        // What is in its way may go: a full disk, another process.
        if !seat.hasOrder {
          await Self.either({ try? await Task.sleep(for: Self.pause) }, or: { await seat.stop.wait() })
        }
      }
      switch seat.take() {
      case .end: return
      case .change(let settings):
        run.before = seat.camera.settings
        seat.camera.change(to: settings)
      case nil: break
      }
    }
  }

  private static func either(
    _ one: @escaping @Sendable () async -> Void, or other: @escaping @Sendable () async -> Void
  ) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await one() }
      group.addTask { await other() }
      await group.next()
      group.cancelAll()
    }
  }

  /// What the loops of a camera leave to each other.
  private struct CameraRun: Sendable {
    /// The lock on the camera's folder, once it was taken.
    var lock: StoreLock?
    var hasLock = false
    /// What the loop before has left.
    var left: LeftStream?
    /// The settings of the loop before.
    var before: CameraSettings?
  }

  /// Runs one loop of a camera until it is told to end.
  ///
  /// - Returns: what it leaves; `nil` if it was cancelled before it began.
  private func live(_ seat: CameraSeat, run: inout CameraRun) async throws -> LeftStream? {
    typealias Ended = Result<LeftStream?, any Error>
    var logger = logger
    logger[metadataKey: "camera"] = "\(seat.camera.name)"
    if case .folder(let path) = store, !run.hasLock {
      let folder = path + "/" + seat.camera.name.text
      do {
        run.lock = try await StoreLock.take(folder: folder, patience: Self.lockPatience) { holder in
          logger.notice("\(holder) uses the store; waiting for it to end", metadata: ["folder": "\(folder)"])
        }
        run.hasLock = true
      } catch is CancellationError {
        return nil
      } catch let error as StoreLockError {
        throw StationError(description: error.description)
      } catch {
        throw Self.unusable(folder, error)
      }
    }
    let (once, log) = (run, logger)
    let ended = await withTaskGroup(of: Ended?.self) { group -> Ended? in
      group.addTask(executorPreference: pool) {
        do {
          return .success(try await self.runLoop(of: seat, once, logger: log))
        } catch {
          return .failure(error)
        }
      }
      group.addTask {
        while !Task.isCancelled, !seat.hasOrder { await seat.stop.wait() }
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      let second = await group.next() ?? nil
      return first ?? second
    }
    return try ended?.get()
  }

  private static func unusable(_ folder: String, _ error: any Error) -> StationError {
    StationError(
      description: "cannot use the store \(folder): \(error); "
        + "give the process the right to write there, choose another folder with --store, or use --store memory")
  }

  private func runLoop(of seat: CameraSeat, _ run: CameraRun, logger: Logger) async throws -> LeftStream {
    let (camera, settings) = (seat.camera, seat.camera.settings)
    var folder: String?
    var mirror: Mirror?
    var dropsPictures = false
    if case .folder(let path) = store {
      let cameraFolder = path + "/" + camera.name.text
      do {
        mirror = try Mirror(
          folder: cameraFolder, patience: settings.timeline.part.duration,
          lookEvery: settings.timeline.segment.duration, lock: run.lock, logger: logger)
      } catch {
        throw Self.unusable(cameraFolder, error)
      }
      folder = cameraFolder
      dropsPictures = PictureSettingsFile(folder: cameraFolder).dropsPictures(
        current: LoopSettings(settings), logger: logger)
      let photos = CameraPhotos(settings)
      // They keep the lock until they are closed, as the mirror does.
      photos.open(folder: cameraFolder, lock: run.lock, dropsPhotos: dropsPictures, logger: logger)
      camera.replacePhotos(with: photos)
    } else if let before = run.before {
      dropsPictures = !LoopSettings(before).differencesOfPicture(from: LoopSettings(settings)).isEmpty
      if dropsPictures || before.keepPhotos != settings.keepPhotos || before.canBeVeiled != settings.canBeVeiled {
        camera.replacePhotos(with: CameraPhotos(settings))
      }
    }
    do {
      let loop = try CameraLoop.open(
        camera: camera, mirror: mirror, folder: folder, dropsPicture: dropsPictures, reading: .ahead(),
        slate: try slates.slate(for: settings, logger: logger), goingOnFrom: run.left, holds: true,
        place: SlotPlace(number: seat.place, isFirst: run.left == nil), logger: logger)
      seat.settle()
      let decoder = EarlyDecoder(camera: camera, logger: logger)
      // It ends with the loop.
      async let _ = withTaskExecutorPreference(decoding) { await decoder.run() }
      let left = await loop.run(publishing: publishing) { seat.goesOn }
      if folder != nil || !seat.goesOn { await camera.photos.close() }
      return left
    } catch {
      if folder != nil { await camera.photos.close() }
      throw StationError(description: "camera \(camera.name) cannot start: \(error)")
    }
  }

  /// Looks at the encode threads once a second, and steps the cameras down or up.
  private func watchLoad() async {
    while !Task.isCancelled {
      let coded = cameras.compactMap { camera in
        let (counters, settings) = (camera.counters, camera.settings)
        return counters.codedLevel.map {
          CameraWork(
            settings: settings.encoder, level: $0, part: settings.timeline.part, slot: counters.slotWork)
        }
      }
      load.look(
        at: clock.now(), worked: pool.worked, ran: pool.ran, threads: pool.count, cameras: coded
      ) { before, level, needed in
        logger.notice(
          level > before
            ? "the machine has too little room for its cameras: all are stepped down"
            : "there is more room: all cameras are stepped up",
          metadata: [
            "level": "\(level.index) of \(LoadLevel.lowest.index)", "settings": "\(level)",
            "needed": "\(needed / 10) %",
          ])
      }
      try? await Task.sleep(for: .seconds(1), tolerance: .zero)
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
