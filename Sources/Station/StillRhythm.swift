import Media

/// The rhythm in which a camera's stills come, so that recorded pictures can be dated as if they came in it.
///
/// Their own times are of another day. Times drawn one by one would not follow each other as those of a camera do, so
/// what is drawn is the time from one to the next.
struct StillRhythm: Sendable {
  private static let kept = 64

  /// How long after the beginning of their slot's collecting the last stills came.
  private var phases: [Ticks] = []
  /// The times from one of them to the next.
  private var gaps: [Ticks] = []
  /// When the newest still came.
  private var newest: Ticks?
  /// The time that was told last.
  private var told: Ticks?

  /// Notes when stills came.
  ///
  /// - Parameter isTold: whether it is their times that viewers are told.
  mutating func note(_ arrivals: [Ticks], collectedFrom: Ticks, isTold: Bool = true) {
    for arrival in arrivals {
      phases.append(arrival - collectedFrom)
      if let newest { gaps.append(arrival - newest) }
      newest = arrival
      if isTold { told = arrival }
    }
    (phases, gaps) = (phases.suffix(Self.kept), gaps.suffix(Self.kept))
  }

  /// Whether the time that was told last is that of the newest still, so that the next still follows it naturally.
  var isInStep: Bool { newest == told }

  /// Whether a still of this camera could come in `range`, if the last one came at `time`.
  func canFollow(_ time: Ticks, in range: Range<Ticks>) -> Bool {
    gaps.isEmpty || gaps.contains { range.contains(time + $0) }
  }

  /// When pictures could have come that begin to show at these steps of a slot, in rising order.
  mutating func arrivals(at steps: [Int], collectedFrom: Ticks, step: Ticks, count: Int) -> [Ticks] {
    guard let first = steps.first, let final = steps.last else { return [] }
    // The first picture of a slot shows at once, whenever it came; the others follow it in their rhythm.
    var begin = collectedFrom
    var end = collectedFrom + step * Int64(max(1, count - (final - first)))
    return steps.map { place in
      if place != first {
        begin = end + step * Int64(place - first - 1)
        let time = draw(from: begin, to: begin + step, collectedFrom)
        told = time
        return time
      }
      let time = draw(from: begin, to: end, collectedFrom)
      end = collectedFrom + step * ((time - collectedFrom).floorDivided(by: step) + 1)
      told = time
      return time
    }
  }

  private func draw(from begin: Ticks, to end: Ticks, _ collectedFrom: Ticks) -> Ticks {
    for _ in 0..<16 {
      if let told, let gap = gaps.randomElement(), told + gap >= begin, told + gap < end { return told + gap }
    }
    for _ in 0..<16 {
      if let phase = phases.randomElement(), collectedFrom + phase >= begin, collectedFrom + phase < end {
        return collectedFrom + phase
      }
    }
    return begin + Ticks(Int64.random(in: 0..<(end - begin).count))
  }
}
