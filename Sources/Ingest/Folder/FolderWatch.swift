import Media

/// The meaning of a watched folder's events: which files are read, and which directories are watched.
///
/// A pure state machine in the words of inotify(7). Paths are relative to the watched folder, which itself is "".
/// A file counts when it was closed after writing or moved in; one that was made counts if it is whole already, since
/// links have no other event. What waits to be read is bounded:
/// of a hundred files at once the newest few are read.
struct FolderWatch: Sendable {
  /// The number that inotify gives a watched directory.
  typealias Watch = Int32

  /// An event.
  enum Event: Hashable, Sendable {
    /// A directory is watched now.
    case watching(String, as: Watch)
    /// A walk has ended and found these new files, oldest first.
    case found([FoundFile])
    /// Something of a directory could not be looked at, for lack of the right to; these files would have been news.
    case blocked(String, News)
    /// A name that is no UTF-8 came up.
    case nameless(Watch, String)
    /// A file was made: empty, or by a link to a whole one.
    case fileMade(Watch, String)
    /// A file's rights, times or links changed.
    case fileChanged(Watch, String)
    /// A directory's rights or times changed; the name is empty for the watched one itself.
    case directoryChanged(Watch, String)
    /// A file that was open for writing was closed.
    case written(Watch, String)
    /// A file was moved away; `cookie` connects it with where it went.
    case fileMovedOut(Watch, String, cookie: UInt32)
    /// A file was moved in.
    case fileMovedIn(Watch, String, cookie: UInt32)
    /// A directory was created.
    case directoryMade(Watch, String)
    case directoryMovedOut(Watch, String, cookie: UInt32)
    case directoryMovedIn(Watch, String, cookie: UInt32)
    /// The directory itself was deleted, moved or unmounted.
    case gone(Watch)
    /// Nothing more comes from this watch.
    case ended(Watch)
    /// Events were lost at this moment, in nanoseconds since the epoch.
    case overflow(since: Int64)
  }

  /// What the caller must do, at once and in this order.
  enum Action: Hashable, Sendable {
    /// Watch a directory and all below it, and look for new files in them.
    case walk(String, News)
    case unwatch(Watch)
    /// The folder is gone, or it is another one now: start again.
    case reopen
    /// Say that a file is passed over for its name.
    case tellNameless(String)
  }

  /// A file to be read.
  struct Pending: Hashable, Sendable {
    let path: String
    /// Whether it was met by a walk, or as it was made, and not by an event that says it is whole.
    let isFound: Bool
    /// Whether it was just made: it counts only if it is whole.
    var isMade = false
  }

  /// How many files wait at most.
  static let mostPending = 4
  private static let mostRemembered = 32
  private static let mostBlocked = 1000

  private var paths: [Watch: String] = [:]
  private var pending: [Pending] = []
  /// Stills and directories that were moved away, until they are moved in elsewhere: they are not new there.
  private var moves: [(cookie: UInt32, path: String, isWatched: Bool)] = []
  /// Directories that could not be looked at, and what would have been news in them.
  private var blocked: [String: News] = [:]
  /// Files that could not be read for lack of the right to.
  private var refused: [String] = []
  /// Files that were gone when they should be read; a move can say where they are.
  private var missed: [String] = []
  /// What was read lately: a walk and an event can report the same file.
  private var read: [(stamp: StillFile.Stamp, isFound: Bool)] = []

  /// Directories that are watched.
  var watchCount: Int { paths.count }

  /// Takes one event.
  mutating func receive(_ event: Event) -> [Action] {
    switch event {
    case .watching(let path, let watch): paths[watch] = path
    case .found(let files): for file in files { enqueue(Pending(path: file.path, isFound: true)) }
    case .blocked(let path, let news): if blocked.count < Self.mostBlocked { blocked[path] = news }
    case .nameless(let watch, let name): return path(watch, name).map { [.tellNameless($0)] } ?? []
    case .fileMade(let watch, let name):
      if let path = path(watch, name), StillName.isStill(name) {
        enqueue(Pending(path: path, isFound: true, isMade: true))
      }
    case .fileChanged(let watch, let name): if let path = path(watch, name) { retry { $0 == path } }
    case .directoryChanged(let watch, let name):
      guard let path = name.isEmpty ? paths[watch] : path(watch, name) else { return [] }
      retry { $0.hasPrefix(path.isEmpty ? "" : path + "/") }
      return blocked.removeValue(forKey: path).map { [.walk(path, $0)] } ?? []
    case .written(let watch, let name):
      if let path = path(watch, name), StillName.isStill(name) { enqueue(Pending(path: path, isFound: false)) }
    case .fileMovedOut(let watch, let name, let cookie):
      if let path = path(watch, name), StillName.isStill(name) { remember(cookie, path, isWatched: false) }
    case .fileMovedIn(let watch, let name, let cookie): fileMovedIn(watch, name, cookie)
    case .directoryMade(let watch, let name): return directoryCame(watch, name, news: .all)
    case .directoryMovedOut(let watch, let name, let cookie):
      // What is in a directory that was left out is news when it gets another name.
      guard let path = path(watch, name), !StillName.isIgnoredDirectory(name) else { return [] }
      // Its watches would still report it, wherever it is now.
      let below = paths.filter { $0.value == path || $0.value.hasPrefix(path + "/") }.map(\.key).sorted()
      remember(cookie, path, isWatched: !below.isEmpty)
      for watch in below { paths[watch] = nil }
      blocked = blocked.filter { $0.key != path && !$0.key.hasPrefix(path + "/") }
      return below.map { .unwatch($0) }
    case .directoryMovedIn(let watch, let name, let cookie): return directoryMovedIn(watch, name, cookie)
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
    // A still that was moved into a directory before that was watched is found there, with only its path changed.
    let isMoved =
      file.isFound
      && read.contains { known in
        (known.stamp.inode, known.stamp.size, known.stamp.modified) == (stamp.inode, stamp.size, stamp.modified)
      }
    // Two uploads with one name can look alike within a tick of the file system's clock. So an event is only ignored
    // for a file that a walk has found, which usually reports the same upload.
    return !isMoved && !read.contains { $0.stamp == stamp && $0.isFound }
  }

  /// Remembers that a file was read in this state.
  mutating func didRead(_ file: Pending, _ stamp: StillFile.Stamp) {
    read.append((stamp, file.isFound))
    if read.count > Self.mostRemembered { read.removeFirst() }
  }

  /// Remembers that a file was gone when it should be read.
  mutating func didMiss(_ file: Pending) {
    missed.append(file.path)
    if missed.count > Self.mostRemembered { missed.removeFirst() }
  }

  /// Remembers that this process had no right to read a file: it is read as soon as it gets the right.
  mutating func didRefuse(_ file: Pending) {
    refused.removeAll { $0 == file.path }
    refused.append(file.path)
    if refused.count > Self.mostRemembered { refused.removeFirst() }
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
    guard let old = moved(cookie)?.path else { return enqueue(Pending(path: path, isFound: false)) }
    // It was new under its old name. If it was not read yet, it is read under the new one.
    if let index = pending.firstIndex(where: { $0.path == old }) {
      pending[index] = Pending(path: path, isFound: pending[index].isFound, isMade: pending[index].isMade)
    } else if let index = missed.firstIndex(of: old) {
      missed.remove(at: index)
      enqueue(Pending(path: path, isFound: false))
    }
  }

  private mutating func directoryMovedIn(_ watch: Watch, _ name: String, _ cookie: UInt32) -> [Action] {
    guard let old = moved(cookie), let path = path(watch, name) else { return directoryCame(watch, name, news: .all) }
    // What was news in it under its old name is news under its new one.
    func renamed(_ file: String) -> String? {
      file.hasPrefix(old.path + "/") ? path + file.dropFirst(old.path.count) : nil
    }
    pending = pending.map { file in
      renamed(file.path).map { Pending(path: $0, isFound: file.isFound, isMade: file.isMade) } ?? file
    }
    for file in missed.compactMap(renamed) { enqueue(Pending(path: file, isFound: false)) }
    missed.removeAll { renamed($0) != nil }
    return directoryCame(watch, name, news: old.isWatched ? .recent : .all)
  }

  private func directoryCame(_ watch: Watch, _ name: String, news: News) -> [Action] {
    guard let path = path(watch, name), !StillName.isIgnoredDirectory(name) else { return [] }
    return [.walk(path, news)]
  }

  private mutating func remember(_ cookie: UInt32, _ path: String, isWatched: Bool) {
    moves.append((cookie, path, isWatched))
    if moves.count > Self.mostRemembered { moves.removeFirst() }
  }

  private mutating func moved(_ cookie: UInt32) -> (path: String, isWatched: Bool)? {
    moves.firstIndex { $0.cookie == cookie }.map { index in
      let move = moves.remove(at: index)
      return (move.path, move.isWatched)
    }
  }

  /// Reads files again that could not be read before.
  private mutating func retry(_ isMeant: (String) -> Bool) {
    for file in refused.filter(isMeant) { enqueue(Pending(path: file, isFound: false)) }
    refused.removeAll(where: isMeant)
  }
}
