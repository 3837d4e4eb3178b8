import Media

/// How long to wait before the next try: half a second, doubled with each failure up to 30 s, and shortened by up to a
/// half at random, so that cameras that lost a server at the same time do not return at the same time.
package struct Backoff: Hashable, Sendable {
  /// The upper limit of the wait after the first failure.
  package static let first = Ticks.milliseconds(500)
  /// The upper limit of all waits.
  package static let most = Ticks.seconds(30)
  /// The longest Retry-After of a server that is followed.
  package static let mostAsked = Ticks.seconds(3600)

  private var limit = Backoff.first

  /// A backoff without a failure yet.
  package init() {}

  /// The wait after one more failure.
  ///
  /// - Parameters:
  ///   - asked: what the server requested in Retry-After (RFC 9110, section 10.2.3); the wait is never shorter.
  ///   - random: a uniform random number; 0 gives half of the limit, `UInt32.max` nearly all.
  package mutating func wait(asked: Ticks? = nil, random: UInt32) -> Ticks {
    let half = limit.count / 2
    let wait = Ticks(half + ((limit.count - half) * Int64(random)) >> 32)
    limit = min(limit * 2, Self.most)
    return max(wait, min(asked ?? .zero, Self.mostAsked))
  }

  /// Starts again after a success.
  package mutating func reset() { limit = Self.first }
}
