/// A file that was found while a folder was walked.
struct FoundFile: Hashable, Sendable {
  /// Its path below the watched folder.
  let path: String
  let stamp: StillFile.Stamp
}

/// The newest few of any number of files.
struct NewestFiles: Sendable {
  private let limit: Int
  /// Oldest first.
  private(set) var files: [FoundFile] = []

  /// The newest `limit` files.
  init(limit: Int) { self.limit = limit }

  /// Considers one more file.
  mutating func insert(_ file: FoundFile) {
    let index = files.firstIndex { Self.isOlder(file, than: $0) } ?? files.endIndex
    files.insert(file, at: index)
    if files.count > limit { files.removeFirst() }
  }

  /// By the time of the last write, which upload programs may set to the time of the shot; both are a good order to
  /// show them in.
  private static func isOlder(_ left: FoundFile, than right: FoundFile) -> Bool {
    (left.stamp.modified, left.path) < (right.stamp.modified, right.path)
  }
}

/// Which files in a folder count as new when it is walked.
enum News: Hashable, Sendable {
  /// None: they were there before.
  case none
  /// Those that came or changed since this time, in nanoseconds since the epoch by the file system's clock.
  case since(Int64)
  /// Those that came or changed in the last seconds: their directory was moved while they came.
  case recent
  /// All: their directory is new.
  case all

  /// The same with a moment in place of the last seconds.
  func resolved(now: Int64) -> News { self == .recent ? .since(now - Self.recently) : self }

  private static let recently: Int64 = 10_000_000_000

  func includes(_ stamp: StillFile.Stamp) -> Bool {
    switch self {
    case .none: false
    case .since(let moment): max(stamp.changed, stamp.modified) >= moment
    case .recent, .all: true
    }
  }
}
