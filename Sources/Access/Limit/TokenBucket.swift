/// Limits a rate and allows bursts.
package struct TokenBucket: Hashable, Sendable {
  private let rate: Int64
  private let capacity: Int64
  // In thousandths, so that rates per second and times in milliseconds stay whole numbers.
  private var level: Int64
  private var time: Int64

  /// A full bucket.
  ///
  /// - Parameters:
  /// - rate: how many are added in a second.
  /// - burst: how many can be taken at once.
  /// - now: milliseconds of any clock that does not step back.
  package init(rate: Int, burst: Int, now: Int64) {
    self.rate = Int64(rate)
    capacity = Int64(burst) * 1000
    level = capacity
    time = now
  }

  /// Takes one if there is one.
  package mutating func take(now: Int64) -> Bool {
    fill(now)
    guard level >= 1000 else { return false }
    level -= 1000
    return true
  }

  /// Whether there is one to take.
  package mutating func isEmpty(now: Int64) -> Bool {
    fill(now)
    return level < 1000
  }

  /// Whether the bucket is full.
  package mutating func isFull(now: Int64) -> Bool {
    fill(now)
    return level == capacity
  }

  /// How long until there is one to take, in milliseconds of the clock; 0 where there is one.
  package mutating func wait(now: Int64) -> Int64 {
    fill(now)
    return level >= 1000 ? 0 : (1000 - level + rate - 1) / rate
  }

  private mutating func fill(_ now: Int64) {
    level = min(capacity, level + max(0, min(now - time, capacity)) * rate)
    time = max(time, now)
  }
}
