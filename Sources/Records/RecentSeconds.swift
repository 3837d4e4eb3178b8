/// The seconds that were watched in the last minute, which say how many watch now: each viewer adds as many seconds as
/// pass.
struct RecentSeconds: Hashable, Sendable {
  /// The minute has a little less, so that an element that speaks each minute is never heard twice in it.
  private static let (slot, slots): (Int64, Int) = (5, 11)

  private var counts = [Int64](repeating: 0, count: Self.slots)
  private var newest: Int64 = 0

  /// Adds seconds that were watched until now.
  mutating func add(_ seconds: Int64, at now: Int64) {
    let number = now / Self.slot
    if number > newest {
      for old in max(newest + 1, number - Int64(Self.slots) + 1)...number { counts[Int(old % Int64(Self.slots))] = 0 }
      newest = number
    }
    counts[Int(number % Int64(Self.slots))] += seconds
  }

  /// How many viewers these seconds are, rounded.
  func viewers(at now: Int64) -> Int {
    let number = now / Self.slot
    let length = Self.slot * Int64(Self.slots)
    var sum: Int64 = 0
    for old in max(0, number - Int64(Self.slots) + 1)...max(0, number) where old <= newest {
      if newest - old < Int64(Self.slots) { sum += counts[Int(old % Int64(Self.slots))] }
    }
    return Int((sum + length / 2) / length)
  }
}
