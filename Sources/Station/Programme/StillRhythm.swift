import Media

/// The rhythm of a camera's stills, so that pictures of the loop can be dated as if they came in it.
///
/// Their own times are of another day, but the intervals are the camera's. If an interval is not known, or leads out of
/// the slot that a picture shows in, it is drawn from those of the last stills: times drawn one by one would not follow
/// each other as a camera's do.
struct StillRhythm: Sendable {
  private static let kept = 64

  /// The slot offsets of the last stills.
  private var phases: [Ticks] = []
  /// The intervals between them.
  private var gaps: [Ticks] = []
  /// When the newest still came.
  private var newest: Ticks?
  /// The time that was last reported.
  private var reported: Ticks?
  /// How much later it is than in the loop, as far as is known.
  private var shift: Ticks?

  /// Notes when stills came.
  ///
  /// - Parameter isReported: whether these times are reported to viewers.
  mutating func note(_ arrivals: [Ticks], collectedFrom: Ticks, isReported: Bool = true) {
    for arrival in arrivals {
      phases.append(arrival - collectedFrom)
      if let newest { gaps.append(arrival - newest) }
      newest = arrival
      if isReported { report(arrival) }
    }
    (phases, gaps) = (phases.suffix(Self.kept), gaps.suffix(Self.kept))
  }

  /// Notes that viewers are told of a still that came then; the loop has it at `recorded`.
  mutating func report(_ time: Ticks, recorded: Ticks? = nil) { (reported, shift) = (time, recorded.map { time - $0 }) }

  /// Whether a still at this time follows what was last reported as this camera's stills follow each other.
  func isNatural(_ time: Ticks) -> Bool {
    guard let reported, let least = gaps.min(), let most = gaps.max() else { return true }
    return least...most ~= time - reported
  }

  /// Whether the camera's next still is expected to follow what was last reported naturally.
  var isInStep: Bool {
    guard let newest, let gap = median else { return true }
    return isNatural(newest + gap)
  }

  /// When the first still of this camera comes at `begin` or later, if it continues as usual; `nil` if nothing is
  /// known.
  func expected(from begin: Ticks) -> Ticks? {
    guard let reported, let gap = median, gap > .zero else { return nil }
    guard reported < begin else { return reported }
    return reported + gap * ((begin - reported + gap - Ticks(1)).floorDivided(by: gap))
  }

  private var median: Ticks? { gaps.isEmpty ? nil : gaps.sorted()[gaps.count / 2] }

  /// Whether a still of this camera could come in `range`, if the last one came at `time`.
  func canFollow(_ time: Ticks, in range: Range<Ticks>) -> Bool {
    gaps.isEmpty || gaps.contains { range.contains(time + $0) }
  }

  /// When pictures that begin to show at these steps of a slot could have come, in rising order.
  ///
  /// - Parameter recorded: when they would have come if the loop were live, as far as is known.
  func arrivals(at steps: [Int], recorded: [Ticks?] = [], collectedFrom: Ticks, step: Ticks, count: Int) -> [Ticks] {
    guard let first = steps.first, let final = steps.last else { return [] }
    // The first picture of a slot shows at once, whenever it came; the others follow it in their rhythm.
    var begin = collectedFrom
    var end = collectedFrom + step * Int64(max(1, count - (final - first)))
    var (next, copy) = (end, self)
    return steps.enumerated().map { index, place in
      if place != first { (begin, end) = (next + step * Int64(place - first - 1), next + step * Int64(place - first)) }
      let known = recorded.indices.contains(index) ? recorded[index] : nil
      let time = copy.draw(from: begin, to: end, collectedFrom, recorded: known)
      copy.report(time, recorded: known)
      if place == first { next = collectedFrom + step * ((time - collectedFrom).floorDivided(by: step) + 1) }
      return time
    }
  }

  private func draw(from begin: Ticks, to end: Ticks, _ collectedFrom: Ticks, recorded: Ticks?) -> Ticks {
    if let recorded {
      let time = recorded + (shift ?? .zero)
      if time >= begin, time < end, isNatural(time) { return time }
    }
    for _ in 0..<16 {
      if let reported, let gap = gaps.randomElement(), reported + gap >= begin, reported + gap < end {
        return reported + gap
      }
    }
    if let reported, let gap = gaps.randomElement(), gaps.contains(where: { isNear(reported + $0, begin, end) }) {
      // As near to the rhythm as the slot allows, and not always at its very edge.
      let slack = Ticks(Int64.random(in: 0...(end - begin).count / 16))
      return reported + gap < begin ? begin + slack : end - Ticks(1) - slack
    }
    for _ in 0..<16 {
      if let phase = phases.randomElement(), collectedFrom + phase >= begin, collectedFrom + phase < end {
        return collectedFrom + phase
      }
    }
    return begin + Ticks(Int64.random(in: 0..<(end - begin).count))
  }

  private func isNear(_ time: Ticks, _ begin: Ticks, _ end: Ticks) -> Bool {
    let length = end - begin
    return time >= begin - length && time < end + length
  }
}
