import NIOConcurrencyHelpers

/// How a wait ended.
package enum WaitOutcome<Value: Sendable>: Sendable {
  /// What was waited for is published.
  case published(Value)
  /// The deadline came first, the task was cancelled, or the answer is no longer wanted.
  case timedOut
  /// Too many tasks wait already.
  case refused
  /// The stream has ended with the process; nothing more will be published.
  case ended
}

/// Tasks that wait until something reaches a threshold, each until a deadline.
///
/// It only keeps the list. Its owner guards it with a lock, `NIOLockedValueBox.wait(in:…)` waits in it, and whoever
/// takes tasks out of it resumes them after the lock is open again.
struct WaitList<Threshold: Comparable & Sendable, Value: Sendable>: Sendable {
  /// A task that waits.
  typealias Waiter = CheckedContinuation<WaitOutcome<Value>, Never>

  private struct Entry {
    let threshold: Threshold
    let deadline: ContinuousClock.Instant
    let isWanted: @Sendable () -> Bool
    let waiter: Waiter
  }

  private let most: Int
  private var entries: [UInt64: Entry] = [:]
  private var lastID: UInt64 = 0
  /// Whether all waits have ended, now and later.
  private(set) var isEnded = false

  /// A list of at most this many tasks.
  init(most: Int) { self.most = most }

  /// How many tasks wait.
  var count: Int { entries.count }

  /// Takes all tasks whose threshold is at or below `reached`.
  mutating func take(reaching reached: Threshold) -> [Waiter] { take { $0.threshold <= reached } }

  /// Takes all tasks, and accepts no more.
  mutating func end() -> [Waiter] {
    isEnded = true
    return take { _ in true }
  }

  fileprivate mutating func makeID() -> UInt64 {
    lastID += 1
    return lastID
  }

  /// Why a task cannot wait; `nil` if it waits from now on.
  fileprivate mutating func insert(
    _ id: UInt64, threshold: Threshold, deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool,
    waiter: Waiter
  ) -> WaitOutcome<Value>? {
    if isEnded { return .ended }
    if Task.isCancelled { return .timedOut }
    if entries.count >= most { return .refused }
    entries[id] = Entry(threshold: threshold, deadline: deadline, isWanted: isWanted, waiter: waiter)
    return nil
  }

  /// Takes one.
  mutating func take(_ id: UInt64) -> Waiter? { entries.removeValue(forKey: id)?.waiter }

  fileprivate mutating func takeExpired(at now: ContinuousClock.Instant) -> [Waiter] { take { $0.deadline <= now } }

  /// The questions for each task that waits.
  fileprivate var questions: [(id: UInt64, isWanted: @Sendable () -> Bool)] {
    entries.map { ($0.key, $0.value.isWanted) }
  }

  private mutating func take(where condition: (Entry) -> Bool) -> [Waiter] {
    let taken = entries.filter { condition($0.value) }
    for id in taken.keys { entries[id] = nil }
    return taken.values.map(\.waiter)
  }
}

extension NIOLockedValueBox where Value: Sendable {
  /// Waits in one of the lists that the box guards until something is published. A cancelled task gets `.timedOut`.
  ///
  /// - Parameters:
  ///   - isWanted: called about twice a second, without the lock; `false` ends the wait and frees its place.
  ///   - published: what is published already, called once and under the lock; `nil` if the task must wait for it.
  ///   - began: called under the lock when the wait has begun, with the number under which the list has it.
  func wait<Threshold, Published>(
    in list: any (WritableKeyPath<Value, WaitList<Threshold, Published>> & Sendable), for threshold: Threshold,
    deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool,
    published: (inout Value) -> Published?, began: (inout Value, _ id: UInt64) -> Void = { _, _ in }
  ) async -> WaitOutcome<Published> {
    let id = withLockedValue { $0[keyPath: list].makeID() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { (waiter: CheckedContinuation<WaitOutcome<Published>, Never>) in
        let outcome = withLockedValue { state -> WaitOutcome<Published>? in
          if let value = published(&state) { return .published(value) }
          let outcome = state[keyPath: list].insert(
            id, threshold: threshold, deadline: deadline, isWanted: isWanted, waiter: waiter)
          if outcome == nil { began(&state, id) }
          return outcome
        }
        if let outcome { waiter.resume(returning: outcome) }
      }
    } onCancel: {
      withLockedValue { $0[keyPath: list].take(id) }?.resume(returning: .timedOut)
    }
  }

  /// Ends the waits of a list whose deadline has come and those that are no longer wanted. `isWanted` is called without
  /// the lock, which also serves media.
  func expire<Threshold, Published>(
    _ list: any (WritableKeyPath<Value, WaitList<Threshold, Published>> & Sendable), at now: ContinuousClock.Instant
  ) {
    let (expired, questions) = withLockedValue { state in
      (state[keyPath: list].takeExpired(at: now), state[keyPath: list].questions)
    }
    let unwanted = questions.filter { !$0.isWanted() }.map(\.id)
    let gone =
      unwanted.isEmpty ? [] : withLockedValue { state in unwanted.compactMap { state[keyPath: list].take($0) } }
    for waiter in expired + gone { waiter.resume(returning: .timedOut) }
  }
}
