/// Finds new files in a folder by scanning all of it repeatedly, for file systems that do not notify of changes.
///
/// A pure state machine: a scan begins, each file is seen, the scan ends. A file is ready when it is new or has changed
/// and two scans in a row saw it with the same size and time. It keeps two numbers for each file.
struct FolderScan: Sendable {
  private struct Entry {
    var state: Int
    var isSettled: Bool
  }

  /// More files than this are ignored.
  static let mostFiles = 500_000

  private var before: [Int: Entry] = [:]
  private var now: [Int: Entry] = [:]
  private var ready = NewestFiles(limit: FolderWatch.mostPending)
  /// Which unknown files count as new in this scan; after the first scan of a folder, all.
  private var news: News

  /// A scan whose first pass counts these files as new.
  init(news: News) { self.news = news }

  /// Whether a file was left out because there are too many.
  private(set) var isOverfull = false

  /// Sees one file of the scan.
  mutating func see(_ file: FoundFile) {
    guard now.count < Self.mostFiles else {
      isOverfull = true
      return
    }
    // Inode numbers do not help: some of these file systems make them up each time.
    let (key, state) = (file.path.hashValue, SIMD2(Int64(file.stamp.size), file.stamp.modified).hashValue)
    guard let old = before[key] else {
      now[key] = Entry(state: state, isSettled: !news.includes(file.stamp))
      return
    }
    let isReady = old.state == state && !old.isSettled
    now[key] = Entry(state: state, isSettled: old.state == state)
    if isReady { ready.insert(file) }
  }

  /// Ends the scan.
  ///
  /// - Returns: the newest files that are ready to be read, oldest first.
  mutating func finish() -> [FoundFile] {
    defer {
      (before, now) = (now, [:])
      ready = NewestFiles(limit: FolderWatch.mostPending)
      news = .all
      isOverfull = false
    }
    settleMoves()
    return ready.files
  }

  /// Has a file read again after the next look: this process had no right to read it.
  mutating func retry(_ file: FoundFile) { before[file.path.hashValue]?.isSettled = false }

  /// A file that is new under its path and was, in the same state, under another path that is gone now was moved:
  /// moving old pictures does not make them new.
  private mutating func settleMoves() {
    let fresh = now.filter { before[$0.key] == nil && !$0.value.isSettled }
    guard !fresh.isEmpty else { return }
    let gone = Set(before.filter { now[$0.key] == nil && $0.value.isSettled }.map(\.value.state))
    for (key, entry) in fresh where gone.contains(entry.state) { now[key]?.isSettled = true }
  }
}
