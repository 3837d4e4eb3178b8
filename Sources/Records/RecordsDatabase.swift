import Foundation
import GRDB

#if canImport(Glibc)
  import Glibc
#else
  import Musl
#endif

/// What Quietcam remembers of days: sums of each hour and what the operator did, in one SQLite file of the store folder.
///
/// Reading and writing block: call it on a thread that may wait for a disk, never on an event loop or an encode thread.
package struct RecordsDatabase: Sendable {
  /// The file's name in the store folder.
  package static let fileName = "quietcam.sqlite"
  /// What is added to the name of a file that is damaged.
  static let damagedSuffix = ".damaged"
  /// What SQLite keeps beside a database in WAL mode.
  private static let companions = ["", "-wal", "-shm"]

  let queue: DatabaseQueue

  /// Opens the file, makes it where there is none, and brings its tables to this version. Nobody but the owner can read
  /// it.
  ///
  /// - Throws: GRDB's `DatabaseError` where the file is damaged, cannot be written, or is no database.
  package init(path: String) throws {
    try Self.makePrivate(path)
    queue = try DatabaseQueue(path: path, configuration: Self.configuration())
    try Self.migrator.migrate(queue)
    try queue.read { database in
      // The first sign of damage, and not only that of the page which happens to be read.
      let result = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
      if result != "ok" { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: result) }
    }
    // SQLite gives its companions the mode of the database.
  }

  /// A database in memory, for a server that keeps nothing on disk.
  package init() throws {
    queue = try DatabaseQueue(configuration: Self.configuration(isInMemory: true))
    try Self.migrator.migrate(queue)
  }

  /// Opens a file to read from it, also while a server writes to it.
  ///
  /// - Throws: GRDB's `DatabaseError` where there is none, or it is no database of this program.
  package init(reading path: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.busyMode = .timeout(5)
    queue = try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Moves a damaged file and its companions aside, in the place of one that was put aside before.
  ///
  /// - Returns: where it is now.
  /// - Throws: the system's error.
  static func putAside(path: String) throws -> String {
    let files = FileManager.default
    for companion in companions {
      let (from, to) = (path + companion, path + damagedSuffix + companion)
      if files.fileExists(atPath: to) { try files.removeItem(atPath: to) }
      if files.fileExists(atPath: from) { try files.moveItem(atPath: from, toPath: to) }
    }
    return path + damagedSuffix
  }

  /// Whether an error says that the file itself is damaged, or no database at all.
  static func isDamage(_ error: any Error) -> Bool {
    // GRDB cannot read its own list of migrations.
    if error is RowDecodingError { return true }
    guard let code = (error as? DatabaseError)?.resultCode else { return false }
    return code == .SQLITE_CORRUPT || code == .SQLITE_NOTADB
  }

  private static func configuration(isInMemory: Bool = false) -> Configuration {
    var configuration = Configuration()
    // `quietcam visits` reads while the server writes.
    if !isInMemory { configuration.journalMode = .wal }
    configuration.busyMode = .timeout(2)
    configuration.prepareDatabase { database in
      // A power cut loses at most the last sums, and damages nothing; no write waits for the disk's own cache.
      try database.execute(sql: "PRAGMA synchronous = NORMAL")
    }
    return configuration
  }

  /// Makes the file, and takes the permissions of everybody else.
  private static func makePrivate(_ path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(
      atPath: folder.isEmpty ? "." : folder, withIntermediateDirectories: true)
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw DatabaseError(resultCode: .SQLITE_CANTOPEN, message: String(cString: strerror(errno)))
    }
    defer { _ = close(descriptor) }
    _ = fchmod(descriptor, 0o600)
  }

  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("hours, days and actions") { database in
      try database.execute(
        sql: """
          CREATE TABLE hours (
            camera TEXT NOT NULL,
            hour INTEGER NOT NULL,
            \(columns.map { "\($0) INTEGER NOT NULL DEFAULT 0" }.joined(separator: ",\n  ")),
            PRIMARY KEY (camera, hour)
          ) WITHOUT ROWID;
          CREATE INDEX hours_by_hour ON hours (hour);
          CREATE TABLE days (
            camera TEXT NOT NULL,
            day INTEGER NOT NULL,
            visitors INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (camera, day)
          ) WITHOUT ROWID;
          CREATE TABLE actions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            time INTEGER NOT NULL,
            camera TEXT,
            what TEXT NOT NULL,
            how TEXT NOT NULL,
            outcome TEXT NOT NULL
          );
          CREATE INDEX actions_by_time ON actions (time);
          """)
    }
    return migrator
  }

  /// The columns of an hour's sums, in the order of `Sums.values`.
  static let columns =
    [
      "most_viewers", "watched_seconds", "waves", "stills", "still_bytes", "off_seconds", "paused_seconds",
      "veiled_seconds",
    ] + AnswerKind.allCases.map { "\($0.rawValue)_bytes" }
}

extension Sums {
  /// The sums in the order of `RecordsDatabase.columns`.
  var values: [Int64] {
    [mostViewers, watchedSeconds, waves, stills, stillBytes, offSeconds, pausedSeconds, veiledSeconds]
      + AnswerKind.allCases.map { sent[$0] }
  }

  init(values: [Int64]) {
    self.init()
    (mostViewers, watchedSeconds, waves, stills) = (values[0], values[1], values[2], values[3])
    (stillBytes, offSeconds, pausedSeconds, veiledSeconds) = (values[4], values[5], values[6], values[7])
    for (index, kind) in AnswerKind.allCases.enumerated() { sent[kind] = values[8 + index] }
  }
}
