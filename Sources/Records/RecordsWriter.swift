import GRDB
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// The one that writes to the database, on a thread of its own. What the disk does not take waits in memory, within
/// limits; nobody else ever waits for the disk.
final class RecordsWriter: Sendable {
  /// Where the database is.
  enum Place: Hashable, Sendable {
    case memory
    case file(String)
  }

  /// The most rows that wait for a disk.
  private static let (mostHours, mostActions) = (20_000, 2000)

  private struct State: Sendable {
    var waiting = RecordsChange()
    var isWriting = false
    var database: RecordsDatabase?
    var failures = 0
    var lost = 0
    var forgotten: Int64?
  }

  private let place: Place
  private let keptDays: Int64
  private let logger: Logger
  private let thread = NIOThreadPool(numberOfThreads: 1)
  private let state = NIOLockedValueBox(State())

  init(place: Place, keptDays: Int64, logger: Logger) {
    (self.place, self.keptDays, self.logger) = (place, keptDays, logger)
    thread.start()
  }

  /// Opens the database.
  ///
  /// - Parameter found: gets the visitors of today that are in it, on the thread of the writer.
  func begin(today: Int64, found: @escaping @Sendable ([String: Int64]) -> Void) {
    thread.submit { [self] run in
      guard run == .active, let database = open() else { return }
      do { found(try database.visitors(ofDay: today)) } catch { tell(error) }
    }
  }

  /// Puts something into the queue.
  func add(_ change: RecordsChange) {
    let dropped = state.withLockedValue { state in
      state.waiting.add(change)
      let dropped = state.waiting.limit(hours: Self.mostHours, actions: Self.mostActions)
      defer { state.lost += dropped }
      return state.lost == 0 ? dropped : 0
    }
    if dropped > 0 {
      logger.error("the database of visits could not be written for so long that its oldest sums are dropped")
    }
  }

  /// Begins to write what waits, unless a write is going on; does not wait for it.
  ///
  /// - Parameter today: whole days since 1970-01-01.
  func flush(today: Int64) {
    let begins = state.withLockedValue { state in
      guard !state.isWriting else { return false }
      state.isWriting = true
      return true
    }
    guard begins else { return }
    thread.submit { [self] run in
      defer { state.withLockedValue { $0.isWriting = false } }
      if run == .active { write(today: today) }
    }
  }

  /// Reads from the database, once what waits is written to it.
  ///
  /// - Throws: the database's error, or that it is not open.
  func read<Value: Sendable>(
    today: Int64, _ body: @escaping @Sendable (RecordsDatabase) throws -> Value
  ) async throws -> Value {
    try await thread.runIfActive { [self] in
      write(today: today)
      guard let database = state.withLockedValue({ $0.database }) else {
        throw RecordsError(description: "the database of visits cannot be opened now; the log says why")
      }
      do { return try body(database) } catch {
        if RecordsDatabase.isDamage(error) { tell(error) }
        throw error
      }
    }
  }

  /// Writes what waits and closes the database, but does not wait for longer than some seconds: a disk that hangs must
  /// not keep the process.
  func close(today: Int64, patience: TimeAmount) async {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let promise = loop.makePromise(of: Void.self)
    let timer = loop.scheduleTask(in: patience) { promise.succeed() }
    thread.submit { [self] _ in
      write(today: today)
      state.withLockedValue { $0.database = nil }
      loop.execute {
        timer.cancel()
        promise.succeed()
      }
    }
    try? await promise.futureResult.get()
    thread.shutdownGracefully { _ in }
  }

  // MARK: On the thread

  private func write(today: Int64) {
    guard let database = open() else { return }
    let change = state.withLockedValue { state in
      defer { state.waiting = RecordsChange() }
      return state.waiting
    }
    do {
      if !change.isEmpty { try database.write(change) }
      if state.withLockedValue({ $0.forgotten != today }) {
        try database.forget(before: today - keptDays)
        state.withLockedValue { $0.forgotten = today }
      }
      tellRecovery()
    } catch {
      state.withLockedValue { state in
        var waiting = change
        waiting.add(state.waiting)
        state.waiting = waiting
      }
      tell(error)
    }
  }

  private func open() -> RecordsDatabase? {
    if let database = state.withLockedValue({ $0.database }) { return database }
    do {
      let database =
        switch place {
        case .memory: try RecordsDatabase()
        case .file(let path): try RecordsDatabase(path: path)
        }
      state.withLockedValue { $0.database = database }
      return database
    } catch {
      tell(error)
      return state.withLockedValue { $0.database }
    }
  }

  /// Begins a new file where the old one is damaged, and logs the first failure of a series.
  private func tell(_ error: any Error) {
    if case .file(let path) = place, RecordsDatabase.isDamage(error) {
      state.withLockedValue { $0.database = nil }
      do {
        let aside = try RecordsDatabase.putAside(path: path)
        logger.error(
          "the database of visits is damaged and was put aside; a new one is begun: \(error)",
          metadata: ["file": "\(aside)"])
        let database = try RecordsDatabase(path: path)
        return state.withLockedValue { ($0.database, $0.forgotten) = (database, nil) }
      } catch {
        logger.error("a new database of visits cannot be begun: \(error)", metadata: ["file": "\(path)"])
      }
    }
    let failures = state.withLockedValue { state in
      state.failures += 1
      return state.failures
    }
    if failures & (failures - 1) == 0 {
      logger.warning(
        "the database of visits cannot be written (\(failures) times so far), and its sums wait in memory: \(error)")
    }
  }

  private func tellRecovery() {
    let (failures, lost) = state.withLockedValue { state in
      defer { (state.failures, state.lost) = (0, 0) }
      return (state.failures, state.lost)
    }
    guard failures > 0 else { return }
    logger.notice(
      "the database of visits is written again\(lost > 0 ? "; \(lost) rows were dropped meanwhile" : "")")
  }
}

/// Why figures cannot be read, as one sentence.
package struct RecordsError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The sentence.
  package let description: String
}
