/// Tasks that wait for something to reach a threshold, each until a deadline.
///
/// It only keeps the book: its owner guards it with its lock and resumes what is taken out of it after the lock is
/// open again.
struct WaitList<Threshold: Comparable & Sendable, Outcome: Sendable>: Sendable {
  /// A task that waits.
  typealias Waiter = CheckedContinuation<Outcome, Never>

  private struct Entry {
    let threshold: Threshold
    let deadline: ContinuousClock.Instant
    let isWanted: @Sendable () -> Bool
    let waiter: Waiter
  }

  private var entries: [UInt64: Entry] = [:]
  private var lastID: UInt64 = 0

  /// How many tasks wait.
  var count: Int { entries.count }

  /// A number for a task that is about to wait.
  mutating func makeID() -> UInt64 {
    lastID += 1
    return lastID
  }

  mutating func insert(
    _ id: UInt64, threshold: Threshold, deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool,
    waiter: Waiter
  ) {
    entries[id] = Entry(threshold: threshold, deadline: deadline, isWanted: isWanted, waiter: waiter)
  }

  mutating func take(_ id: UInt64) -> Waiter? { entries.removeValue(forKey: id)?.waiter }

  /// Takes all whose threshold is at or below `reached`.
  mutating func take(reaching reached: Threshold) -> [Waiter] { take { $0.threshold <= reached } }

  /// Takes all whose deadline has come and all that nobody wants any more.
  mutating func takeExpired(at now: ContinuousClock.Instant) -> [Waiter] {
    take { $0.deadline <= now || !$0.isWanted() }
  }

  /// Takes all.
  mutating func takeAll() -> [Waiter] { take { _ in true } }

  private mutating func take(where condition: (Entry) -> Bool) -> [Waiter] {
    let taken = entries.filter { condition($0.value) }
    for id in taken.keys { entries[id] = nil }
    return taken.values.map(\.waiter)
  }
}
