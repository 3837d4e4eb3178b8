import Media

/// Reckons how much of the encode threads all cameras need for good: what a slot of each camera takes, times its slots a
/// second, beside what the threads are given of the processors.
///
/// How busy the threads are does not tell that. While a backlog is worked off, as after a start, they are as busy as they
/// can be, whatever the cameras need.
package struct LoadDemand: Hashable, Sendable {
  /// What was seen of the threads since the last look.
  package struct Seen: Hashable, Sendable {
    /// How long that was.
    package var time: Ticks
    /// How many threads there are.
    package var threads: Int
    /// The time that all of them together worked, also while they waited for a processor.
    package var worked: Ticks
    /// The processor time that they had.
    package var ran: Ticks
    /// How much of that the slots took.
    package var slots: Ticks

    /// These figures.
    package init(time: Ticks, threads: Int, worked: Ticks, ran: Ticks, slots: Ticks) {
      (self.time, self.threads, self.worked, self.ran, self.slots) = (time, threads, worked, ran, slots)
    }
  }

  /// Of how many looks the least is taken for what the threads have to do besides slots.
  private static let looks = 5
  /// The least that the threads are thought to have of the processors, in thousandths.
  private static let leastShare = 200

  /// How much of the processors the threads have while they work, in thousandths: less where others use them too.
  private(set) var share = 1000
  /// What the threads had to do besides slots at the last looks, in thousandths of their time.
  private var besides: [Int] = []

  /// Nothing seen yet.
  package init() {}

  /// Reckons anew, about once a second.
  ///
  /// - Returns: how much of the threads' time is needed, in thousandths, and how much of that no level changes.
  package mutating func note(_ seen: Seen, cameras: [CameraWork]) -> (all: Int, fixed: Int) {
    let whole = max(1, seen.time.count * Int64(seen.threads))
    if seen.worked.count * 20 > whole {
      let now = Int(clamping: seen.ran.count * 1000 / seen.worked.count)
      // Others that use the processors for some seconds are no reason to step down.
      share += (min(1000, max(Self.leastShare, now)) - share) / 8
    }
    besides.append(Int(clamping: max(0, (seen.ran - seen.slots).count) * 1000 / whole))
    if besides.count > Self.looks { besides.removeFirst() }
    // Millionths of a processor.
    var (known, knownCost, unknownCost): (Int64, Int64, Int64) = (0, 0, 0)
    for camera in cameras {
      let cost = Int64(camera.level.cost(for: camera.settings)) * Ticks.perSecond / max(1, camera.part.count)
      guard let slot = camera.slot else {
        unknownCost += cost
        continue
      }
      known += slot.count * 1_000_000 / max(1, camera.part.count)
      knownCost += cost
    }
    // Cameras that have just begun take what the others do.
    let needed = knownCost > 0 ? known + known * unknownCost / knownCost : 0
    let fixed = (besides.min() ?? 0) * 1000 / share
    return (fixed + Int(clamping: needed / Int64(seen.threads) / Int64(share)), fixed)
  }
}
