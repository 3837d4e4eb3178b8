import GRDB

/// What Quietcam remembers of days: sums of each hour and what the operator did, in one SQLite file of the store folder.
///
/// Reading and writing block: call it on a thread that may wait for a disk, never on an event loop or an encode thread.
package struct RecordsDatabase: Sendable {
  /// The file's name in the store folder.
  package static let fileName = "quietcam.sqlite"

  let queue: DatabaseQueue

  /// Opens the file, makes it where there is none, and brings its tables to this version.
  ///
  /// - Throws: GRDB's `DatabaseError` where the file is damaged, cannot be written, or is no database.
  package init(path: String) throws {
    var configuration = Configuration()
    // `quietcam visits` reads while the server writes.
    configuration.journalMode = .wal
    configuration.busyMode = .timeout(2)
    queue = try DatabaseQueue(path: path, configuration: configuration)
    try Self.migrator.migrate(queue)
  }

  private static var migrator: DatabaseMigrator {
    let migrator = DatabaseMigrator()
    return migrator
  }
}
