import NIOCore

/// Requests that wait on their event loops until something reaches a threshold, each until a deadline.
///
/// It only keeps the list; its owner guards it with a lock. Whoever takes requests out of it wakes them after the lock
/// is open again: one call to each event loop for all that wait there.
struct LoopWaits<Threshold: Hashable & Comparable & Sendable, Value: Sendable>: Sendable {
  /// Called on the event loop with how the wait ended.
  typealias Waiter = @Sendable (WaitOutcome<Value>) -> Void

  /// The requests that wait on one event loop for the same.
  struct Batch: Sendable {
    let loop: any EventLoop
    fileprivate(set) var waiters: [UInt64: (deadline: ContinuousClock.Instant, wake: Waiter)] = [:]

    /// Goes on with all of them, on their event loop.
    func wake(_ outcome: WaitOutcome<Value>) {
      let waiters = waiters
      loop.execute { for waiter in waiters.values { waiter.wake(outcome) } }
    }
  }

  private struct Place: Hashable, Sendable {
    let threshold: Threshold
    let loop: ObjectIdentifier
  }

  private var batches: [Place: Batch] = [:]
  private var lastID: UInt64 = 0
  /// How many requests wait.
  private(set) var count = 0

  /// Adds a request.
  ///
  /// - Returns: the number under which `remove` finds it, together with its threshold and event loop.
  mutating func add(
    for threshold: Threshold, deadline: ContinuousClock.Instant, on loop: any EventLoop, _ wake: @escaping Waiter
  ) -> UInt64 {
    lastID += 1
    count += 1
    let place = Place(threshold: threshold, loop: ObjectIdentifier(loop))
    batches[place, default: Batch(loop: loop)].waiters[lastID] = (deadline, wake)
    return lastID
  }

  /// Forgets a request; it is not woken.
  mutating func remove(_ id: UInt64, for threshold: Threshold, on loop: any EventLoop) {
    let place = Place(threshold: threshold, loop: ObjectIdentifier(loop))
    guard batches[place]?.waiters.removeValue(forKey: id) != nil else { return }
    count -= 1
    if batches[place]?.waiters.isEmpty ?? false { batches[place] = nil }
  }

  /// Takes all requests whose threshold is at or below `reached`.
  mutating func take(reaching reached: Threshold) -> [Batch] {
    take(batches.keys.filter { $0.threshold <= reached })
  }

  /// Takes all requests.
  mutating func takeAll() -> [Batch] { take(Array(batches.keys)) }

  /// Takes the requests whose deadline has come.
  mutating func takeExpired(at now: ContinuousClock.Instant) -> [Batch] {
    var taken: [Batch] = []
    for (place, batch) in batches {
      let late = batch.waiters.filter { $0.value.deadline <= now }
      guard !late.isEmpty else { continue }
      var expired = Batch(loop: batch.loop)
      expired.waiters = late
      taken.append(expired)
      for id in late.keys { remove(id, for: place.threshold, on: batch.loop) }
    }
    return taken
  }

  private mutating func take(_ places: [Place]) -> [Batch] {
    let taken = places.compactMap { batches.removeValue(forKey: $0) }
    for batch in taken { count -= batch.waiters.count }
    return taken
  }
}
