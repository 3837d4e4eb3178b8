import Media

/// When requests can begin while others fail: later and later, and one at a time until one succeeds. All cameras share
/// it, because a server that is away is away for all.
struct RetryGate: Sendable {
  static let firstWait = Ticks.milliseconds(500)
  static let mostWait = Ticks.seconds(5)

  private(set) var failures = 0
  private(set) var nextTry = Ticks(Int64.min / 2)
  private var wait = RetryGate.firstWait

  /// Whether a request can begin.
  ///
  /// - Parameter underWay: how many have begun and not ended.
  func isOpen(at now: Ticks, underWay: Int, most: Int) -> Bool {
    failures == 0 ? underWay < most : underWay == 0 && now >= nextTry
  }

  /// Notes that a request succeeded.
  mutating func succeeded() { (failures, wait, nextTry) = (0, Self.firstWait, Ticks(Int64.min / 2)) }

  /// Notes that one failed.
  ///
  /// - Parameter random: a uniform random number, which shortens the wait by up to a half.
  mutating func failed(at now: Ticks, random: UInt32) {
    failures += 1
    // Those that were under way together fail together.
    guard now >= nextTry else { return }
    let half = wait.count / 2
    nextTry = now + Ticks(half + ((wait.count - half) * Int64(random)) >> 32)
    wait = min(wait * 2, Self.mostWait)
  }
}
