/// Finds what is new in a folder by looking at all of it again and again, where the system tells of no changes.
///
/// A pure state machine: a look begins, each file is seen, the look ends. A file is ready when it is new or has changed
/// and two looks in a row saw it with the same size and time. Memory is two numbers a file.
struct FolderScan: Sendable {
  private struct Entry {
    var state: Int
    var isSettled: Bool
  }

  /// More files than this are not looked at.
  static let mostFiles = 500_000

  private var before: [Int: Entry] = [:]
  private var now: [Int: Entry] = [:]
  private var ready = NewestFiles(limit: FolderWatch.mostPending)
  /// Which unknown files are news in this look; after the first look of a folder, all.
  private var news: News

  /// A scan whose first look takes these files for news.
  init(news: News) { self.news = news }

  /// Whether a file was left out of the look because there are too many.
  private(set) var isOverfull = false

  /// Sees one file of the look.
  mutating func see(_ file: FoundFile) {
    guard now.count < Self.mostFiles else {
      isOverfull = true
      return
    }
    // Numbers of files are no help: some of the file systems this is for make them up anew.
    let (key, state) = (file.path.hashValue, SIMD2(Int64(file.stamp.size), file.stamp.modified).hashValue)
    guard let old = before[key] else {
      now[key] = Entry(state: state, isSettled: !news.includes(file.stamp))
      return
    }
    let isReady = old.state == state && !old.isSettled
    now[key] = Entry(state: state, isSettled: old.state == state)
    if isReady { ready.insert(file) }
  }

  /// Ends the look.
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

  /// A file that is new under its path and stood, in just this state, under another path that is gone now was moved:
  /// sorting old pictures away is no news.
  private mutating func settleMoves() {
    let fresh = now.filter { before[$0.key] == nil && !$0.value.isSettled }
    guard !fresh.isEmpty else { return }
    let gone = Set(before.filter { now[$0.key] == nil && $0.value.isSettled }.map(\.value.state))
    for (key, entry) in fresh where gone.contains(entry.state) { now[key]?.isSettled = true }
  }
}
