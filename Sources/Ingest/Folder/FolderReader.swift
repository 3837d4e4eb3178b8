import Logging
import Media
import NIOCore

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// The work of a watched folder's thread: connects `FolderWatch` and `FolderScan` with the system.
struct FolderReader {
  /// Takes a still, or throws why not.
  typealias Take = @Sendable (ByteBuffer) throws(StillRefusal) -> Void

  private let walk: FolderWalk
  private let scans: Bool
  private let maxBytes: Int
  private let pipe: WakePipe
  private let take: Take
  private let refuse: @Sendable (StillRefusal.Reason) -> Void
  private let logger: Logger
  private var refused = 0
  /// What has been told of already: each thing that cannot be read is told once.
  private var told: Set<String> = []

  private static let mostTold = 500

  /// The time between two scans of a folder that is scanned or missing.
  private static let pause: Int32 = 500
  /// How much older than the moment when a folder was missed its files can be and still count as new: file servers have
  /// other clocks.
  private static let tolerance: Int64 = 2_000_000_000

  /// - Parameter scans: whether to scan even if the kernel would notify.
  init(
    path: String, scans: Bool, maxBytes: Int, pipe: WakePipe, logger: Logger, take: @escaping Take,
    refuse: @escaping @Sendable (StillRefusal.Reason) -> Void
  ) {
    walk = FolderWalk(root: path)
    self.scans = scans
    self.maxBytes = maxBytes
    self.pipe = pipe
    self.take = take
    self.refuse = refuse
    self.logger = logger
  }

  private enum Ending {
    /// The folder is gone, or another one is in its place.
    case gone
    /// The kernel will not notify of all changes, for this reason.
    case mute(String)
    case stopped
  }

  /// Runs until the pipe wakes it.
  mutating func run() {
    var missingAt: Int64?
    var isTold = false
    var reasonToScan = scans ? "as set" : nil
    var isFirst = true
    while pipe.wait(milliseconds: 0) {
      guard let identity = walk.identity else {
        if !isTold {
          logger.warning(
            "cannot read the folder \(walk.root): it is missing or unreadable; its stills are taken when it is there"
          )
        }
        (missingAt, isTold, isFirst) = (wallNanoseconds(), true, false)
        _ = pipe.wait(milliseconds: Self.pause)
        continue
      }
      if reasonToScan == nil {
        reasonToScan = FileSystemKind.remote(at: walk.root).map { "\($0) does not notify of changes" }
      }
      let how = reasonToScan.map { "scanning it twice a second (\($0))" } ?? "notified of changes by the system"
      let line = "taking stills from the folder \(walk.root)\(missingAt == nil ? "" : ", which is back"), \(how)"
      // Files that came while the folder was being created are new; files of a disk that was mounted are not.
      let news: News = isFirst ? .none : .since((missingAt ?? wallNanoseconds()) - Self.tolerance)
      (isTold, isFirst) = (false, false)
      switch reasonToScan == nil ? watch(identity, news, line) : scan(identity, news, line) {
      case .stopped: return
      case .mute(let reason): reasonToScan = reason
      case .gone:
        if !scans { reasonToScan = nil }
      }
      missingAt = wallNanoseconds()
    }
  }

  /// Follows the kernel's events.
  ///
  /// - Parameter line: what is logged once the first look is over: a file that comes after it is new.
  private mutating func watch(_ identity: FolderWalk.Identity, _ news: News, _ line: String) -> Ending {
    do {
      let inotify = try Inotify()
      var state = FolderWatch()
      try perform([.walk("", news)], inotify, &state)
      logger.notice("\(line)")
      var quietSince = wallNanoseconds()
      while pipe.wait(also: inotify.descriptor, milliseconds: state.isWaiting ? 0 : Self.pause) {
        let drainedAt = quietSince
        quietSince = wallNanoseconds()
        var round = inotify.read()
        var rounds = 0
        while !round.isEmpty {
          for event in round {
            var event = event
            if case .overflow = event {
              event = .overflow(since: drainedAt - Self.tolerance)
              logger.notice("the system dropped events of the folder \(walk.root); looking for new files by their time")
            }
            let actions = state.receive(event)
            guard !actions.contains(.reopen) else { return .gone }
            try perform(actions, inotify, &state)
          }
          rounds += 1
          // Events without end must not keep the stills waiting.
          round = rounds < 64 ? inotify.read() : []
        }
        // A folder of which a parent was renamed, or that something was mounted over, sends no event.
        guard walk.identity == identity else { return .gone }
        if let file = state.next() { read(file, &state) }
      }
      return .stopped
    } catch {
      return .mute("\(error)")
    }
  }

  /// A reason to scan.
  private struct Mute: Error, CustomStringConvertible {
    let description: String
  }

  private mutating func perform(
    _ actions: [FolderWatch.Action], _ inotify: borrowing Inotify, _ state: inout FolderWatch
  ) throws(Mute) {
    for action in actions {
      switch action {
      case .reopen: break
      case .tellNameless(let path): tellOnce(path, "its name is no UTF-8; rename it")
      case .unwatch(let watch): inotify.unwatch(watch)
      case .walk(let start, let wanted):
        let began = wallNanoseconds()
        let news = wanted.resolved(now: began)
        var blocked: Set<String> = []
        var nameless: [String] = []
        var found = NewestFiles(limit: FolderWatch.mostPending)
        var watched: [FolderWatch.Event] = []
        var mute: Mute?
        walk.walk(from: start, looks: news != .none, isOver: { mute != nil || !pipe.wait(milliseconds: 0) }) {
          directory in
          let path = walk.absolute(directory)
          if !directory.isEmpty, let name = FileSystemKind.remote(at: path) {
            mute = Mute(description: "\(name) at \(path) does not notify of changes")
          }
          do throws(SystemError) {
            watched.append(.watching(directory, as: try inotify.watch(path)))
          } catch {
            // Directories come and go, and some must not be watched; every other error is the kernel's limit.
            if ![ENOENT, ENOTDIR, EACCES, ELOOP].contains(error.number) {
              mute = Mute(description: Self.advice(error))
            }
          }
        } file: { file in
          if news.includes(file.stamp) { found.insert(file) }
        } blocked: {
          blocked.insert($0)
        } nameless: { directory, name in
          nameless.append(directory.isEmpty ? name : "\(directory)/\(name)")
        }
        if let mute { throw mute }
        // What comes while nobody can look is news, and what was there before is not.
        let later = news == .none ? News.since(began - Self.tolerance) : news
        for event in watched + blocked.map({ .blocked($0, later) }) + [.found(found.files)] { _ = state.receive(event) }
        for directory in blocked { tellBlocked(directory) }
        for path in nameless { tellOnce(path, "its name is no UTF-8; rename it") }
      }
    }
  }

  private static func advice(_ error: SystemError) -> String {
    error.number == ENOSPC
      ? "the system watches no more directories; raise fs.inotify.max_user_watches" : error.description
  }

  private mutating func read(_ pending: FolderWatch.Pending, _ state: inout FolderWatch) {
    do throws(StillFile.Trouble) {
      let file = try StillFile(walk.absolute(pending.path), followsLinks: false)
      guard let stamp = file.stamp, state.isNews(pending, stamp) else { return }
      // Who writes to it now will close it, and then it is read.
      if pending.isMade, !isWhole(file, stamp) { return }
      state.didRead(pending, stamp)
      show(pending.path, file, stamp)
    } catch {
      switch error {
      case .missing: state.didMiss(pending)
      case .refused(EACCES), .refused(EPERM):
        state.didRefuse(pending)
        tell(pending.path, error)
      case .refused, .notAFile: tell(pending.path, error)
      }
    }
  }

  private func isWhole(_ file: borrowing StillFile, _ stamp: StillFile.Stamp) -> Bool {
    guard stamp.size > 0, stamp.size <= maxBytes, let bytes = try? file.read(maxBytes: maxBytes) else { return false }
    return (try? JPEGHeader(bytes, maxPixels: .max)) != nil
  }

  /// Scans everything, twice a second or, if that takes long, for a third of the time.
  ///
  /// - Parameter line: what is logged once the first scan is over: a file that comes after it is new.
  private mutating func scan(_ identity: FolderWalk.Identity, _ news: News, _ line: String) -> Ending {
    var line: String? = line
    var state = FolderScan(news: news)
    var wasOverfull = false
    while true {
      let begin = wallNanoseconds()
      var isStopped = false
      var (blocked, nameless) = (Set<String>(), Set<String>())
      walk.walk(from: "", looks: true, isOver: { isStopped || !pipe.wait(milliseconds: 0) }, enter: { _ in }) {
        state.see($0)
      } blocked: {
        blocked.insert($0)
      } nameless: { directory, name in
        nameless.insert(directory.isEmpty ? name : "\(directory)/\(name)")
      }
      for directory in blocked { tellBlocked(directory) }
      for path in nameless { tellOnce(path, "its name is no UTF-8; rename it") }
      isStopped = !pipe.wait(milliseconds: 0)
      if isStopped { return .stopped }
      guard walk.identity == identity else { return .gone }
      if let line = line.take() { logger.notice("\(line)") }
      if state.isOverfull, !wasOverfull {
        logger.error(
          "the folder \(walk.root) has more than \(FolderScan.mostFiles) stills, and new ones may go unseen; move old ones away"
        )
      }
      wasOverfull = state.isOverfull
      for found in state.finish() {
        do throws(StillFile.Trouble) {
          let file = try StillFile(walk.absolute(found.path), followsLinks: false)
          if let stamp = file.stamp { show(found.path, file, stamp) }
        } catch {
          if error == .refused(EACCES) || error == .refused(EPERM) { state.retry(found) }
          tell(found.path, error)
        }
      }
      let spent = max(0, wallNanoseconds() - begin) / 1_000_000
      guard pipe.wait(milliseconds: max(Self.pause, Int32(clamping: 2 * spent))) else { return .stopped }
    }
  }

  private mutating func show(_ path: String, _ file: borrowing StillFile, _ stamp: StillFile.Stamp) {
    do throws(StillRefusal) {
      let still: ByteBuffer
      do throws(StillRefusal) { still = try file.read(maxBytes: maxBytes) } catch {
        refuse(error.reason)  // What reaches the camera is counted there.
        throw error
      }
      // A program that is writing to it now will close it, and then it is read again.
      guard file.stamp.map({ $0.size == stamp.size && $0.modified == stamp.modified }) ?? false else { return }
      try take(still)
    } catch {
      refused += 1
      // The first of a series is logged for the operator; the counters count the others.
      logger.log(
        level: refused & (refused - 1) == 0 ? .warning : .debug,
        "\(walk.absolute(path)) is not shown (\(refused) such files so far): \(error)")
    }
  }

  private mutating func tell(_ path: String, _ trouble: StillFile.Trouble) {
    switch trouble {
    case .missing: logger.debug("\(walk.absolute(path)) is gone")
    case .notAFile: tellOnce(path, "it is a link, a device or the like; only files are read")
    case .refused(let number):
      tellOnce(path, "\(words(number)); give this process the permission to read it, and it is read then")
    }
  }

  private mutating func tellBlocked(_ directory: String) {
    tellOnce(directory, "this process has no right to look into it; give it that, and it is looked at then")
  }

  /// Says what is passed over, once for each path.
  private mutating func tellOnce(_ path: String, _ why: String) {
    guard told.count < Self.mostTold, told.insert(path).inserted else { return }
    logger.warning("\(walk.absolute(path)) is not read: \(why)")
  }
}
