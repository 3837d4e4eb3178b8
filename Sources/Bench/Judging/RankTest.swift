/// How well a number tells two samples apart: the area under the ROC curve (AUC), with a confidence interval, and how
/// probable one so far from a half is where nothing differs.
///
/// The AUC is the probability that a value of the second sample is larger than one of the first, where equal ones
/// count half: 0.5 tells nothing, 0 and 1 tell always.
package struct RankTest: Sendable, Codable, Equatable {
  /// How many values each sample has.
  package let counts: [Int]
  /// From 0 to 1.
  package let auc: Double
  /// The interval that has it with a probability of 95 %, by drawing from both samples again and again (bootstrap).
  package let interval: [Double]
  /// The probability of an AUC so far from a half where both samples are of one kind, by exchanging them at random.
  package let probability: Double

  /// Compares two samples; `nil` where one has fewer than two values.
  ///
  /// - Parameter rounds: how often is drawn and exchanged.
  package init?(_ first: [Double], _ second: [Double], rounds: Int = 4000, seed: UInt64 = 1) {
    guard first.count > 1, second.count > 1 else { return nil }
    counts = [first.count, second.count]
    auc = Self.auc(first, second)
    // Most of what headers say never changes.
    guard let value = first.first, !(first + second).allSatisfy({ $0 == value }) else {
      (interval, probability) = ([0.5, 0.5], 1)
      return
    }
    var numbers = SeededNumbers(seed: seed)
    var drawn: [Double] = []
    for _ in 0..<max(200, rounds / 10) {
      let some = first.map { _ in first[Int.random(in: first.indices, using: &numbers)] }
      let others = second.map { _ in second[Int.random(in: second.indices, using: &numbers)] }
      drawn.append(Self.auc(some, others))
    }
    drawn.sort()
    interval = [drawn[drawn.count / 40], drawn[drawn.count - 1 - drawn.count / 40]]
    // A sum of ranks says the same as the AUC.
    var ranks = Self.ranks(first + second)
    let middle = ranks.reduce(0, +) / Double(ranks.count) * Double(second.count)
    let found = abs(ranks.dropFirst(first.count).reduce(0, +) - middle)
    var asFar = 0
    for _ in 0..<rounds {
      var sum = 0.0
      // The first places of a shuffle are a random choice.
      for place in 0..<second.count {
        ranks.swapAt(place, Int.random(in: place..<ranks.count, using: &numbers))
        sum += ranks[place]
      }
      if abs(sum - middle) >= found - 1e-9 { asFar += 1 }
    }
    probability = Double(asFar + 1) / Double(rounds + 1)
  }

  /// How far the AUC is from telling nothing, from 0 to 0.5.
  package var distance: Double { abs(auc - 0.5) }

  /// The least distance within the interval; 0 where the interval has a half in it.
  package var leastDistance: Double {
    interval[0] > 0.5 ? interval[0] - 0.5 : interval[1] < 0.5 ? 0.5 - interval[1] : 0
  }

  /// The area alone.
  package static func auc(_ first: [Double], _ second: [Double]) -> Double {
    let ranks = ranks(first + second)
    let (count, others) = (Double(second.count), Double(first.count))
    return (ranks.dropFirst(first.count).reduce(0, +) - count * (count + 1) / 2) / (count * others)
  }

  /// The rank of each value from 1 on; equal ones have the mean of theirs.
  private static func ranks(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var begin = 0
    while begin < order.count {
      var end = begin + 1
      while end < order.count, values[order[end]] == values[order[begin]] { end += 1 }
      let mean = Double(begin + end + 1) / 2
      for place in begin..<end { ranks[order[place]] = mean }
      begin = end
    }
    return ranks
  }
}
