import Media

/// What the events of a watched folder mean: which files are read, and which directories are watched.
///
/// A pure state machine in the words of inotify(7). Paths are relative to the watched folder, which itself is "".
/// A file counts when it was closed after writing or moved in, never when it was made. What waits to be read is bounded:
/// of a hundred files at once the newest few are read.
struct FolderWatch: Sendable {
  /// The number that inotify gives a watched directory.
  typealias Watch = Int32

  /// What happened.
  enum Event: Hashable, Sendable {
    /// A directory is watched now.
    case watching(String, as: Watch)
    /// A walk is over and met these files that are news, oldest first.
    case found([FoundFile])
    /// A file that was open for writing was closed.
    case written(Watch, String)
    /// A file was moved away; `cookie` ties it to where it went.
    case fileMovedOut(Watch, String, cookie: UInt32)
    /// A file was moved in.
    case fileMovedIn(Watch, String, cookie: UInt32)
    /// A directory was made.
    case directoryMade(Watch, String)
    case directoryMovedOut(Watch, String, cookie: UInt32)
    case directoryMovedIn(Watch, String, cookie: UInt32)
    /// The directory itself was deleted, moved or unmounted.
    case gone(Watch)
    /// Nothing comes from this watch any more.
    case ended(Watch)
    /// Events were lost at this moment, in nanoseconds since the epoch.
    case overflow(since: Int64)
  }

  /// What the shell has to do, at once and in this order.
  enum Action: Hashable, Sendable {
    /// Watch a directory and all below it, and look for news in them.
    case walk(String, News)
    case unwatch(Watch)
    /// The folder is not there any more, or it is another one now: begin anew.
    case reopen
  }

  /// A file that is to be read.
  struct Pending: Hashable, Sendable {
    let path: String
    /// Whether it was met by a walk and not by an event of its own.
    let isFound: Bool
  }

  /// How many files wait at most.
  static let mostPending = 4
  private static let mostRemembered = 32

  private var paths: [Watch: String] = [:]
  private var pending: [Pending] = []
  /// Stills and directories that were moved away, until they are moved in somewhere: they are no news there.
  private var moves: [(cookie: UInt32, path: String)] = []
  /// Files that were gone when they were to be read; a move may tell where to.
  private var missed: [String] = []
  /// What was read of late: a walk and an event may both tell of one file.
  private var read: [(stamp: StillFile.Stamp, isFound: Bool)] = []

  /// Directories that are watched.
  var watchCount: Int { paths.count }

  /// Takes one event in.
  mutating func receive(_ event: Event) -> [Action] {
    switch event {
    case .watching(let path, let watch): paths[watch] = path
    case .found(let files): for file in files { enqueue(Pending(path: file.path, isFound: true)) }
    case .written(let watch, let name):
      if let path = path(watch, name), StillName.isStill(name) { enqueue(Pending(path: path, isFound: false)) }
    case .fileMovedOut(let watch, let name, let cookie):
      if let path = path(watch, name), StillName.isStill(name) { remember(cookie, path) }
    case .fileMovedIn(let watch, let name, let cookie): fileMovedIn(watch, name, cookie)
    case .directoryMade(let watch, let name): return directoryCame(watch, name, news: .all)
    case .directoryMovedOut(let watch, let name, let cookie):
      guard let path = path(watch, name) else { return [] }
      remember(cookie, path)
      // Its watches would go on to tell of it, wherever it is now.
      let below = paths.filter { $0.value == path || $0.value.hasPrefix(path + "/") }.map(\.key).sorted()
      for watch in below { paths[watch] = nil }
      return below.map { .unwatch($0) }
    case .directoryMovedIn(let watch, let name, let cookie):
      return directoryCame(watch, name, news: moved(cookie) == nil ? .all : .none)
    case .gone(let watch): return paths[watch] == "" ? [.reopen] : []
    case .ended(let watch): return paths.removeValue(forKey: watch) == "" ? [.reopen] : []
    case .overflow(let moment): return [.walk("", .since(moment))]
    }
    return []
  }

  /// The next file to read, the one that came first.
  mutating func next() -> Pending? { pending.isEmpty ? nil : pending.removeFirst() }

  /// Whether a file waits.
  var isWaiting: Bool { !pending.isEmpty }

  /// Whether a file in this state was not read before.
  func isNews(_ file: Pending, _ stamp: StillFile.Stamp) -> Bool {
    // A still that was moved into a directory before that was watched is met there, changed in nothing but its path.
    let isMoved =
      file.isFound
      && read.contains { known in
        (known.stamp.inode, known.stamp.size, known.stamp.modified) == (stamp.inode, stamp.size, stamp.modified)
      }
    // Two uploads under one name may look alike within a tick of the file system's clock. So an event is only passed
    // over for what a walk has found, which as a rule tells of the same upload.
    return !isMoved && !read.contains { $0.stamp == stamp && $0.isFound }
  }

  /// Remembers that a file was read in this state.
  mutating func didRead(_ file: Pending, _ stamp: StillFile.Stamp) {
    read.append((stamp, file.isFound))
    if read.count > Self.mostRemembered { read.removeFirst() }
  }

  /// Remembers that a file was gone when it was to be read.
  mutating func didMiss(_ file: Pending) {
    missed.append(file.path)
    if missed.count > Self.mostRemembered { missed.removeFirst() }
  }

  private func path(_ watch: Watch, _ name: String) -> String? {
    paths[watch].map { $0.isEmpty ? name : "\($0)/\(name)" }
  }

  private mutating func enqueue(_ file: Pending) {
    pending.removeAll { $0.path == file.path }
    pending.append(file)
    if pending.count > Self.mostPending { pending.removeFirst() }
  }

  private mutating func fileMovedIn(_ watch: Watch, _ name: String, _ cookie: UInt32) {
    guard let path = path(watch, name), StillName.isStill(name) else { return }
    guard let old = moved(cookie) else { return enqueue(Pending(path: path, isFound: false)) }
    // It was news under its old name. Where it has not been read yet, it is read under the new one.
    if let index = pending.firstIndex(where: { $0.path == old }) {
      pending[index] = Pending(path: path, isFound: pending[index].isFound)
    } else if let index = missed.firstIndex(of: old) {
      missed.remove(at: index)
      enqueue(Pending(path: path, isFound: false))
    }
  }

  private func directoryCame(_ watch: Watch, _ name: String, news: News) -> [Action] {
    guard let path = path(watch, name), !StillName.isIgnoredDirectory(name) else { return [] }
    return [.walk(path, news)]
  }

  private mutating func remember(_ cookie: UInt32, _ path: String) {
    moves.append((cookie, path))
    if moves.count > Self.mostRemembered { moves.removeFirst() }
  }

  private mutating func moved(_ cookie: UInt32) -> String? {
    moves.firstIndex { $0.cookie == cookie }.map { moves.remove(at: $0).path }
  }
}
