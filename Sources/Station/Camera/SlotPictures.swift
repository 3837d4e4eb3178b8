import Media

/// Decides which stills are shown at which steps of a slot.
package enum SlotPictures {
  /// For each step of the slot, the index of the still that begins to show there; `nil` if the picture before stays.
  ///
  /// The stills came during the slot before. They keep their distances, rounded to the grid; if several fall on one
  /// step, the newest is used. The first of them shows at once: what is known when the slot begins need not wait.
  ///
  /// - Parameters:
  ///   - arrivals: of the stills since the last slot was made, in order.
  ///   - collectedFrom: when collecting began, normally the start of the slot before.
  ///   - step: the grid.
  ///   - count: steps in a slot, at least one.
  package static func arrange(arrivals: [Ticks], collectedFrom: Ticks, step: Ticks, count: Int) -> [Int?] {
    var steps = [Int?](repeating: nil, count: count)
    for (index, arrival) in arrivals.enumerated() {
      // If the clock was late, or a still came while the slot was made, its step must stay inside the slot.
      let step = min(max((arrival - collectedFrom).floorDivided(by: step), 0), Int64(count - 1))
      steps[Int(step)] = index
    }
    guard let first = steps.firstIndex(where: { $0 != nil }) else { return steps }
    return Array(steps[first...]) + Array(repeating: nil, count: first)
  }
}
