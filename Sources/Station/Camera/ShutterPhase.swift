import Media

/// Finds where in a slot the stills of a camera come, and says by how much the slot clock has to move so that slots begin
/// just after them.
///
/// A still waits for the slot that shows it, half a slot on average. Where the stills of a camera come in a rhythm that
/// fits the slots, moving the clock takes that wait away. Two budgets bound the moves:
/// - *Later*: players play at the pace of the media, so each move takes as much from their distance to the live edge.
///   One slot at first, and a ten-thousandth of the time that passes, which is more than the clocks of cameras drift.
/// - *Earlier*: dates that were given out must not come again, so the dates stay and are ahead of the truth by as much.
package struct ShutterPhase: Hashable, Sendable {
  /// How long before its slot a still should come: the time to decode it, and some unsteadiness of the camera.
  package static let lead = Ticks.milliseconds(120)
  /// How far dates may be ahead of the wall clock.
  package static let datesAhead = Ticks.milliseconds(250)

  /// How many stills are looked at, and how many are enough.
  private static let (kept, enough) = (8, 4)
  /// What is as near as this is near enough.
  private static let tolerance = Ticks.milliseconds(15)

  private let slot: Ticks
  /// The newest stills of the slots that had any, oldest first.
  private var newest: [Ticks] = []
  /// The most stills that one of these slots had.
  private var most = 1
  private var later: Ticks
  private var earlier = Self.datesAhead
  /// What has been refilled of `later` in ten-thousandths of a tick.
  private var refilled: Int64 = 0

  /// The phase of a camera that has sent nothing yet, in slots of this length.
  package init(slot: Ticks) {
    self.slot = slot
    later = slot
  }

  /// Notes the stills of one slot, oldest first.
  package mutating func note(_ arrivals: [Ticks]) {
    guard let last = arrivals.last else { return }
    if newest.isEmpty { most = 1 }
    most = max(most, arrivals.count)
    newest = (newest + [last]).suffix(Self.kept)
  }

  /// Forgets all stills: what comes next may come in another rhythm.
  package mutating func forget() {
    newest.removeAll()
    most = 1
  }

  /// By how much the slot that would begin at `next` should begin later; earlier where it is negative. To be asked once
  /// a slot. A whole number of milliseconds, and at most half a per cent of a slot.
  package mutating func move(next: Ticks) -> Ticks {
    refill()
    guard let wanted = wanted(next: next), abs(wanted.count) > Self.tolerance.count else { return .zero }
    let limit = slot.count / 200
    var move: Int64
    if wanted < .zero, -wanted.count <= earlier.count + Self.tolerance.count {
      move = -min(-wanted.count, limit, earlier.count)
    } else {
      // The other way round the slot, where it is too far for the dates.
      let way = wanted < .zero ? wanted + slot : wanted
      guard way <= later else { return .zero }
      move = min(way.count, limit)
    }
    move -= move % Ticks.milliseconds(1).count
    later = min(slot, later - Ticks(move))
    earlier = min(Self.datesAhead, earlier + Ticks(move))
    return Ticks(move)
  }

  /// How far the beginning of the slots is from where it should be, between minus and plus half a slot; `nil` where the
  /// stills have no rhythm that fits the slots, or have stopped.
  private func wanted(next: Ticks) -> Ticks? {
    guard newest.count >= Self.enough, let last = newest.last, next - last < slot * 8 else { return nil }
    let waits = newest.map { remainder(next - $0) }.sorted()
    // Most of them within a tenth of a slot are a rhythm; one that was lost or late does not count.
    let count = (waits.count * 3 + 3) / 4
    var best: (near: Ticks, length: Ticks, middle: Ticks)?
    for index in waits.indices {
      func away(_ offset: Int) -> Ticks { remainder(waits[(index + offset) % waits.count] - waits[index]) }
      let length = away(count - 1)
      if best.map({ length < $0.length }) ?? true { best = (waits[index], length, away(count / 2)) }
    }
    guard let best, best.length.count <= slot.count / 10 else { return nil }
    // Where stills come faster than that, none can be asked to come so long before its slot and after the one before.
    let lead = min(Self.lead.count, slot.count / Int64(2 * most))
    // The middle one is where it should be, and the latest has half as long at least.
    let shift = max(lead - best.near.count - best.middle.count, lead / 2 - best.near.count)
    let around = remainder(Ticks(shift)).count
    return Ticks(around > slot.count / 2 ? around - slot.count : around)
  }

  private mutating func refill() {
    refilled += slot.count
    later = min(slot, later + Ticks(refilled / 10_000))
    refilled %= 10_000
  }

  /// What is left of a time above whole slots.
  private func remainder(_ time: Ticks) -> Ticks { time - slot * time.floorDivided(by: slot) }
}
