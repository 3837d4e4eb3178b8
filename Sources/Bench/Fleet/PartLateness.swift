import Media
import Station

/// How late the parts of one camera come, by their dates.
///
/// A part can be there when its time begins. But slots are moved, by half a per cent at most, to begin sooner after the
/// camera's stills. Where they begin earlier, dates are ahead of the clock, by a quarter of a second at most; where they
/// begin later, dates follow with the next segment. So what the last parts were all too early, or too late by no more than
/// such moves since the segment began, is not taken for lateness. What comes earlier still was made in advance, as the first
/// part of a stream is: it says nothing of the parts after it.
struct PartLateness: Sendable {
  private static let remembered = 4

  /// Whether the dates are of this machine's own clock. Otherwise the earliest part is taken for one that is not late.
  private let isSameClock: Bool
  private var recent: [Int64] = []
  private var earliest: Int64?

  init(isSameClock: Bool) { self.isSameClock = isSameClock }

  /// Notes a part.
  ///
  /// - Parameters:
  ///   - index: the part's index in its segment.
  ///   - length: the length of parts.
  /// - Returns: how late it is.
  mutating func note(_ date: WallTime, seen now: WallTime, index: Int, length: Ticks) -> Ticks {
    let after = now.milliseconds - date.milliseconds
    if isSameClock, after < -ShutterPhase.datesAhead.milliseconds { return .zero }
    if recent.count == Self.remembered { recent.removeFirst() }
    recent.append(after)
    earliest = min(earliest ?? after, after)
    let moved = (length * Int64(index)).milliseconds / 200
    let start = isSameClock ? min(moved, recent.min() ?? 0) : earliest ?? after
    return .milliseconds(max(0, after - start))
  }
}
