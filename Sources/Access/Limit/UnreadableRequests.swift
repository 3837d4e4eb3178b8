import NIOConcurrencyHelpers

/// Requests at one door whose head or framing could not be read: counts them, and says of which the log is told.
package final class UnreadableRequests: Sendable {
  /// How many lines the log gets at once, and how many a second after that: whoever sends garbage must not fill the
  /// operator's disk.
  private static let (burst, rate) = (20, 1)

  private struct State {
    var count: Int64 = 0
    var untold: Int64 = 0
    var lines: TokenBucket?
  }

  private let state = NIOLockedValueBox(State())

  /// None so far.
  package init() {}

  /// How many there were.
  package var count: Int64 { state.withLockedValue { $0.count } }

  /// Counts one more.
  ///
  /// - Parameter now: milliseconds of any clock that does not step back.
  /// - Returns: how many went by without a line in the log before this one; `nil` where this one gets none either.
  package func add(now: Int64) -> Int64? {
    state.withLockedValue { state in
      state.count += 1
      var lines = state.lines ?? TokenBucket(rate: Self.rate, burst: Self.burst, now: now)
      let isTold = lines.take(now: now)
      state.lines = lines
      guard isTold else {
        state.untold += 1
        return nil
      }
      defer { state.untold = 0 }
      return state.untold
    }
  }
}
