import Media

/// When the viewers of a crowd leave, each after a time of its own. Another one comes in the place of each.
struct CrowdTurnover: Sendable {
  private let stay: Ticks
  private var random: SeededNumbers
  /// When the viewer at each place leaves.
  private var ends: [Ticks]

  /// A crowd whose viewers have been coming and leaving for long.
  ///
  /// - Parameters:
  ///   - count: how many places there are.
  ///   - stay: the mean time for which a viewer stays: each for half of it at least, and for one and a half at most.
  ///   - seed: the same seed draws the same times.
  init(count: Int, stay: Ticks, seed: UInt64 = 1) {
    var random = SeededNumbers(seed: seed)
    ends = (0..<count).map { _ in Ticks(Int64.random(in: 0..<max(1, stay.count), using: &random)) }
    (self.stay, self.random) = (stay, random)
  }

  /// The places whose viewers leave by now. Those who come in their places stay from now on.
  mutating func leaving(at now: Ticks) -> [Int] {
    let places = ends.indices.filter { ends[$0] <= now }
    let half = stay.count / 2
    for place in places { ends[place] = now + Ticks(half + Int64.random(in: 0...max(1, stay.count), using: &random)) }
    return places
  }
}
