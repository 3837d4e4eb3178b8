import NIOConcurrencyHelpers

/// How often a duration fell into which range, as Prometheus's histograms count it. Any thread can add to it.
package final class Histogram: Sendable {
  /// What has been counted at one moment.
  package struct Counted: Sendable, Hashable {
    /// For each bound, in the same order, how many durations were at most as long.
    package let cumulative: [Int64]
    /// How many there were.
    package let count: Int64
    /// Their sum in nanoseconds.
    package let sum: Int64
  }

  private struct State {
    var counts: [Int64]
    var sum: Int64 = 0
  }

  /// The upper ends of the ranges in nanoseconds, in ascending order; the last range has no end.
  package let bounds: [Int64]
  private let state: NIOLockedValueBox<State>

  /// Counts that are all zero.
  ///
  /// - Parameter milliseconds: the upper ends of the ranges, in ascending order.
  package init(milliseconds: [Int64]) {
    bounds = milliseconds.map { $0 * 1_000_000 }
    state = NIOLockedValueBox(State(counts: Array(repeating: 0, count: milliseconds.count + 1)))
  }

  /// Counts a duration in nanoseconds; a negative one, as clocks that are compared can give, counts as none at all.
  package func add(nanoseconds: Int64) {
    let nanoseconds = max(0, nanoseconds)
    let index = bounds.firstIndex { nanoseconds <= $0 } ?? bounds.count
    state.withLockedValue { state in
      state.counts[index] += 1
      state.sum += nanoseconds
    }
  }

  /// Counts a duration.
  package func add(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    add(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  /// Counts a length of the media timeline or of a clock that counts in its ticks.
  package func add(_ ticks: Ticks) { add(nanoseconds: ticks.count * 1_000_000_000 / Ticks.perSecond) }

  /// What has been counted.
  package var counted: Counted {
    let state = state.withLockedValue { $0 }
    var (total, cumulative): (Int64, [Int64]) = (0, [])
    for count in state.counts {
      total += count
      cumulative.append(total)
    }
    return Counted(cumulative: Array(cumulative.dropLast()), count: total, sum: state.sum)
  }
}
