import Testing

@testable import Bench

@Suite struct RankTestTests {
  @Test(
    arguments: [
      ([1, 2, 3], [4, 5, 6], 1.0), ([4, 5, 6], [1, 2, 3], 0), ([1, 2, 3], [1, 2, 3], 0.5), ([7, 7], [7, 7, 7], 0.5),
      ([1, 3], [2, 4], 0.75), ([0, 0, 0, 1], [0, 1, 1, 1], 0.75),
    ] as [([Double], [Double], Double)])
  func theAreaIsWhatPairsSay(_ first: [Double], _ second: [Double], _ area: Double) throws {
    let pairs = first.flatMap { left in second.map { $0 > left ? 1.0 : $0 == left ? 0.5 : 0 } }
    #expect(abs(pairs.reduce(0, +) / Double(pairs.count) - area) < 1e-12)
    let test = try #require(RankTest(first, second, rounds: 200))
    #expect(abs(test.auc - area) < 1e-12)
    #expect(test.interval[0] <= test.auc && test.auc <= test.interval[1])
  }

  @Test func tooFewValuesSayNothing() {
    #expect(RankTest([1], [2, 3]) == nil)
    #expect(RankTest([], []) == nil)
  }

  @Test func theProbabilityIsThatOfAllExchanges() throws {
    // Of the 70 ways to choose four of eight, two are as far apart.
    let test = try #require(RankTest([1, 2, 3, 4], [5, 6, 7, 8], rounds: 20_000))
    #expect(abs(test.probability - 2.0 / 70) < 0.006)
    let same = try #require(RankTest([5, 5, 5, 5], [5, 5, 5, 5], rounds: 500))
    #expect(same.probability == 1 && same.leastDistance == 0)
  }

  /// Two samples of one kind are found different as often as is said, and the interval has the true area as often.
  @Test func itKeepsItsWord() throws {
    var numbers = SeededNumbers(seed: 5)
    var (rejected, held) = (0, 0)
    for seed in 0..<300 {
      let first = (0..<15).map { _ in Double.random(in: 0...1, using: &numbers) }
      let second = (0..<15).map { _ in Double.random(in: 0...1, using: &numbers) }
      let test = try #require(RankTest(first, second, rounds: 400, seed: UInt64(seed)))
      if test.probability < 0.05 { rejected += 1 }
      if test.interval[0] <= 0.5, test.interval[1] >= 0.5 { held += 1 }
    }
    #expect((3...30).contains(rejected), "15 are expected")
    #expect(held > 260, "285 are expected")
  }

  @Test func theSameSeedGivesTheSame() {
    let (first, second) = ([1.0, 5, 2, 8, 3], [2.0, 9, 4, 7, 7])
    #expect(RankTest(first, second, seed: 3) == RankTest(first, second, seed: 3))
  }
}
