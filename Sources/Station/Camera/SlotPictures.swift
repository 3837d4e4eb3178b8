import Media

/// Decides which stills stand at which steps of a slot.
package enum SlotPictures {
  /// For each step of the slot the index of the still that begins to show there, or `nil` where the picture before
  /// goes on.
  ///
  /// The stills came during the slot before and keep their rhythm, snapped to the grid; where several fall on one
  /// step the newest wins. The first of them shows at once: what is known when the slot begins need not wait.
  ///
  /// - Parameters:
  ///   - arrivals: of the stills since the last slot was made, in order.
  ///   - collectedFrom: when the collecting began, normally the beginning of the slot before.
  ///   - step: the grid.
  ///   - count: steps in a slot, at least one.
  package static func arrange(arrivals: [Ticks], collectedFrom: Ticks, step: Ticks, count: Int) -> [Int?] {
    var steps = [Int?](repeating: nil, count: count)
    for (index, arrival) in arrivals.enumerated() {
      // A clock that was late, or a still that came while the slot was made, must not fall off either end.
      let step = min(max((arrival - collectedFrom).floorDivided(by: step), 0), Int64(count - 1))
      steps[Int(step)] = index
    }
    guard let first = steps.firstIndex(where: { $0 != nil }) else { return steps }
    return Array(steps[first...]) + Array(repeating: nil, count: first)
  }
}
