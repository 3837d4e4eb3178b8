import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// The photos of one camera: the pictures that were shown last, also after a restart.
///
/// Adding a photo does not wait: it is in memory at once and is written to disk in the background, on a thread of its
/// own. Another thread reads photos that are only on disk. A disk that hangs or accepts nothing costs the oldest photos
/// and delays nothing.
package final class CameraPhotos: Sendable {
  /// The result of a request for a photo.
  package enum Answer: Sendable {
    /// The JPEG.
    case found(ByteBuffer)
    /// There is none with this name.
    case unknown
    /// The disk does not answer.
    case busy
  }

  private struct State {
    var shelf: PhotoShelf
    var folder: PhotoFolder?
    /// Keeps other processes from the folder, until `close`.
    var lock: StoreLock?
    var logger = Logger(label: "quietcam")
    var isWriting = false
    var waiting: [@Sendable () -> Void] = []
    var failures = 0
    var version = 0
    var text: (version: Int, list: EncodedText)?
    /// Reads that were started and have not returned, whether somebody still waits for them or not.
    var reads = 0
    var readers = WaitList<Int, Answer>(most: CameraPhotos.mostReads)
    var willDo: @Sendable (PhotoShelf.Step?) throws -> Void = { _ in }
  }

  /// How many photos can be read from disk at the same time.
  static let mostReads = 64

  private let count: Int
  private let hasUniqueSizes: Bool
  private let writer = NIOThreadPool(numberOfThreads: 1)
  private let reader = NIOThreadPool(numberOfThreads: 1)
  private let state: NIOLockedValueBox<State>

  /// No photos yet, in memory only.
  ///
  /// - Parameters:
  ///   - count: how many are kept.
  ///   - hasUniqueSizes: whether an older photo is dropped when one of the same size in bytes comes; see
  ///     `PhotoShelf.Limits`.
  init(count: Int, hasUniqueSizes: Bool = false) {
    self.count = count
    self.hasUniqueSizes = hasUniqueSizes
    var limits = PhotoShelf.Limits(count: count, isStored: false)
    limits.hasUniqueSizes = hasUniqueSizes
    state = NIOLockedValueBox(State(shelf: PhotoShelf(limits: limits, isStored: false)))
  }

  /// No photos yet of a camera with these settings.
  convenience init(_ settings: CameraSettings) {
    self.init(count: settings.keepPhotos, hasUniqueSizes: settings.canBeVeiled)
  }

  /// Reads the photos of an earlier process from the camera's folder, and keeps later ones there too. Called before
  /// anything is kept.
  ///
  /// - Parameters:
  ///   - lock: keeps other processes from the folder, and is let go with `close`. If another process has the folder all
  ///     the same, nothing is written or removed there.
  ///   - dropsPhotos: whether the photos of the earlier process are withdrawn at once.
  ///   - willDo: called before each step on disk, with `nil` before a read; what it throws counts as the step's failure.
  func open(
    folder path: String, lock: StoreLock? = nil, dropsPhotos: Bool = false, logger: Logger,
    limits: PhotoShelf.Limits? = nil,
    willDo: @escaping @Sendable (PhotoShelf.Step?) throws -> Void = { _ in }
  ) {
    let folder = PhotoFolder(path: path)
    var limits = limits ?? PhotoShelf.Limits(count: count, isStored: true)
    limits.hasUniqueSizes = hasUniqueSizes
    var shelf = PhotoShelf(limits: limits, isStored: true)
    do {
      let contents = try folder.contents()
      shelf.takeUp(contents.photos, isMarked: contents.isMarked || dropsPhotos)
    } catch {
      logger.error("the photos of an earlier process cannot be listed: \(error)", metadata: ["folder": "\(path)"])
    }
    writer.start()
    reader.start()
    state.withLockedValue { [shelf] state in
      (state.shelf, state.folder, state.lock, state.logger, state.willDo) = (shelf, folder, lock, logger, willDo)
      state.version += 1
    }
    write()
  }

  // MARK: What comes and goes

  /// Keeps a picture that is shown.
  ///
  /// - Parameters:
  ///   - time: when its still came.
  ///   - size: the size of the JPEG.
  /// - Returns: its name; `nil` if no photos are kept.
  func keep(_ jpeg: ByteBuffer, time: WallTime, size: PictureSize) -> PhotoName? {
    guard count > 0 else { return nil }
    var generator = SystemRandomNumberGenerator()
    let name = PhotoName(time: time, size: size, using: &generator)
    state.withLockedValue { state in
      state.shelf.keep(jpeg, as: name)
      state.version += 1
    }
    write()
    return name
  }

  /// Forgets all photos; they are removed from disk next.
  func withdraw() {
    state.withLockedValue { state in
      state.shelf.withdraw()
      state.version += 1
    }
    write()
  }

  /// Calls `done` once everything that had to be done on disk is done, or has failed.
  func afterWriting(_ done: @escaping @Sendable () -> Void) {
    let isDone = state.withLockedValue { state in
      if state.isWriting { state.waiting.append(done) }
      return !state.isWriting
    }
    if isDone { done() }
  }

  /// Blocks until everything is on disk as far as possible, and ends the threads.
  func close() async {
    let readers = state.withLockedValue { $0.readers.end() }
    for reader in readers { reader.resume(returning: .ended) }
    guard state.withLockedValue({ $0.folder }) != nil else { return }
    await withCheckedContinuation { continuation in afterWriting { continuation.resume() } }
    try? await writer.shutdownGracefully()
    try? await reader.shutdownGracefully()
    state.withLockedValue { $0.lock = nil }
  }

  // MARK: What is counted

  /// How many photos there are, their bytes, and how many steps on disk have failed.
  package var counted: (photos: Int, bytes: Int, failures: Int) {
    state.withLockedValue { state in
      let photos = state.shelf.photos
      return (photos.count, photos.reduce(0) { $0 + $1.bytes }, state.failures)
    }
  }

  /// How many steps on disk have failed.
  package var failures: Int { state.withLockedValue { $0.failures } }

  /// The photo that was kept last; `nil` if there is none.
  package var newest: PhotoName? { state.withLockedValue { $0.shelf.photos.first?.name } }

  /// The photos and their bytes, the newest first.
  package var all: [(name: PhotoName, bytes: Int)] { state.withLockedValue { $0.shelf.photos } }

  /// A number that is another one after each change of the photos.
  package var version: Int { state.withLockedValue { $0.version } }

  /// The photos as JSON, the newest first; made once for all requests until one is added or removed.
  package var list: EncodedText {
    let (known, version, photos) = state.withLockedValue { state in
      let known = state.text.flatMap { $0.version == state.version ? $0.list : nil }
      return (known, state.version, known == nil ? state.shelf.photos : [])
    }
    if let known { return known }
    let text = Self.text(of: photos)
    let list = EncodedText(text, etag: text.fingerprint)
    state.withLockedValue { state in
      if state.version == version { state.text = (version, list) }
    }
    return list
  }

  /// Such a list of these photos.
  package static func text(of photos: [(name: PhotoName, bytes: Int)]) -> ByteBuffer {
    let items = photos.map { name, bytes in
      "{\"name\":\"\(name)\",\"time\":\"\(name.time.iso8601)\",\"width\":\(name.size.width)"
        + ",\"height\":\(name.size.height),\"bytes\":\(bytes)}"
    }
    return ByteBuffer(string: "{\"photos\":[\(items.joined(separator: ","))]}\n")
  }

  /// A photo, waiting for the disk if it is only there.
  ///
  /// - Parameter isWanted: called about twice a second; `false` ends the wait.
  package func photo(
    named name: PhotoName, deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool
  ) async -> Answer {
    let outcome = await state.wait(
      in: \.readers, for: 0, deadline: deadline, isWanted: isWanted,
      published: { state in
        switch state.shelf.place(of: name) {
        case nil: .unknown
        case .memory(let jpeg): .found(jpeg)
        case .disk: state.folder == nil || state.reads >= Self.mostReads ? .busy : nil
        }
      },
      began: { state, id in
        guard let folder = state.folder, case .disk(let bytes) = state.shelf.place(of: name) else { return }
        state.reads += 1
        let willDo = state.willDo
        reader.submit { [self] _ in read(name, bytes: bytes, from: folder, willDo, for: id) }
      })
    return if case .published(let answer) = outcome { answer } else { .busy }
  }

  /// Ends the waits whose time is over or whose client has gone.
  func expire(at now: ContinuousClock.Instant) { state.expire(\.readers, at: now) }

  private func read(
    _ name: PhotoName, bytes: Int, from folder: PhotoFolder, _ willDo: (PhotoShelf.Step?) throws -> Void, for id: UInt64
  ) {
    let outcome = Result { () throws -> ByteBuffer? in
      try willDo(nil)
      return try folder.read(name, bytes: bytes)
    }
    let (waiter, answer) = state.withLockedValue { state -> (WaitList<Int, Answer>.Waiter?, Answer) in
      state.reads -= 1
      let waiter = state.readers.take(id)
      // It may have been withdrawn while it was being read.
      guard state.shelf.place(of: name) != nil else { return (waiter, .unknown) }
      switch outcome {
      case .success(let jpeg?): return (waiter, .found(jpeg))
      case .success(nil):
        // The file was removed or changed by somebody else.
        state.shelf.lose(name)
        state.version += 1
        return (waiter, .unknown)
      // Too many open files, or a disk that is away for a moment: the photo may be there still.
      case .failure: return (waiter, .busy)
      }
    }
    if case .failure(let error) = outcome { tellFailure("read \(name)", error) }
    waiter?.resume(returning: .published(answer))
  }

  // MARK: The disk

  private func write() {
    let starts = state.withLockedValue { state in
      guard state.folder != nil, !state.isWriting else { return false }
      state.isWriting = true
      return true
    }
    if starts { writer.submit { [self] _ in writeUntilDone() } }
  }

  private func writeUntilDone() {
    var goesOn = true
    while true {
      let isOurs = goesOn && state.withLockedValue { $0.lock }?.renew() != false
      // In one step with the end of the work: what comes later starts it again.
      let (job, waiting) = state.withLockedValue { state -> (Job?, [@Sendable () -> Void]) in
        if isOurs, let job = Self.next(&state) { return (job, []) }
        state.isWriting = false
        defer { state.waiting = [] }
        return (nil, state.waiting)
      }
      guard let job else {
        for done in waiting { done() }
        return
      }
      do {
        try job.willDo(job.step)
        try job.folder.perform(job.step, jpeg: job.jpeg)
        state.withLockedValue { $0.shelf.did(job.step) }
      } catch { goesOn = fail(job.step, error) }
    }
  }

  private struct Job {
    let step: PhotoShelf.Step
    let jpeg: ByteBuffer?
    let folder: PhotoFolder
    let willDo: @Sendable (PhotoShelf.Step?) throws -> Void
  }

  private static func next(_ state: inout State) -> Job? {
    guard let folder = state.folder, let step = state.shelf.next() else { return nil }
    var jpeg: ByteBuffer?
    if case .write(let name) = step, case .memory(let bytes) = state.shelf.place(of: name) { jpeg = bytes }
    return Job(step: step, jpeg: jpeg, folder: folder, willDo: state.willDo)
  }

  private func fail(_ step: PhotoShelf.Step, _ error: any Error) -> Bool {
    tellFailure("\(step)", error)
    return state.withLockedValue { $0.shelf.failed(step) }
  }

  private func tellFailure(_ step: String, _ error: any Error) {
    let (failures, folder, logger) = state.withLockedValue { state in
      state.failures += 1
      return (state.failures, state.folder?.path ?? "", state.logger)
    }
    // The first of a series is logged for the operator; the counter counts the others.
    if failures & (failures - 1) == 0 {
      logger.error(
        """
        photos cannot be written to the store, read or removed there; check its disk and its rights. The newest are \
        served from memory meanwhile.
        """,
        metadata: ["folder": "\(folder)", "step": "\(step)", "error": "\(error)", "failures": "\(failures)"])
    }
  }
}
