import Media

/// How late the parts of one camera come, by their dates.
///
/// A part can be there when its time begins. Its date can be ahead of the clock, by a quarter of a second at most, where
/// slots were moved to begin sooner after the camera's stills. So what the last parts were too early is taken for such an
/// advance.
struct PartLateness: Sendable {
  private static let remembered = 4

  /// Whether the dates are of this machine's own clock. Otherwise the earliest part is taken for one that is not late.
  private let isSameClock: Bool
  private var recent: [Int64] = []
  private var earliest: Int64?

  init(isSameClock: Bool) { self.isSameClock = isSameClock }

  /// Notes a part.
  ///
  /// - Returns: how late it is.
  mutating func note(_ date: WallTime, seen now: WallTime) -> Ticks {
    let after = now.milliseconds - date.milliseconds
    if recent.count == Self.remembered { recent.removeFirst() }
    recent.append(after)
    earliest = min(earliest ?? after, after)
    let start = isSameClock ? min(0, recent.min() ?? 0) : earliest ?? after
    return .milliseconds(max(0, after - start))
  }
}
