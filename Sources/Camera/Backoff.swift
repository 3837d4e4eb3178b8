import Media

/// How long to wait before the next try: half a second, doubled with each failure up to 30 s, and shortened by up to a
/// half at random, so that cameras which a server lost together do not come back together.
package struct Backoff: Hashable, Sendable {
  /// The longest wait after the first failure.
  package static let first = Ticks.milliseconds(500)
  /// The longest wait of all.
  package static let most = Ticks.seconds(30)
  /// The longest that a server's Retry-After is believed.
  package static let mostAsked = Ticks.seconds(3600)

  private var limit = Backoff.first

  /// A backoff before any failure.
  package init() {}

  /// The wait after one more failure.
  ///
  /// - Parameters:
  ///   - asked: what the server asked for in Retry-After (RFC 9110, section 10.2.3); never waited less than this.
  ///   - random: any number, each as likely as the other; 0 gives half of the limit, `UInt32.max` nearly all.
  package mutating func wait(asked: Ticks? = nil, random: UInt32) -> Ticks {
    let half = limit.count / 2
    let wait = Ticks(half + ((limit.count - half) * Int64(random)) >> 32)
    limit = min(limit * 2, Self.most)
    return max(wait, min(asked ?? .zero, Self.mostAsked))
  }

  /// Begins anew after a success.
  package mutating func reset() { limit = Self.first }
}
