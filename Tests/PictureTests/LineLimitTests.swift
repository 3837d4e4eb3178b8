import TestSupport
import Testing

@testable import Picture

@Suite struct LineLimitTests {
  @Test func soManyLinesPassInASecondAndTheRestIsCounted() {
    var limit = LineLimit(perSecond: 3)
    let start = ContinuousClock.now
    #expect((0..<5).map { limit.admit(at: start + .milliseconds(100 * $0)) } == [0, 0, 0, nil, nil])
    #expect(limit.admit(at: start + .milliseconds(999)) == nil)
    #expect((0..<4).map { limit.admit(at: start + .milliseconds(1000 + $0)) } == [3, 0, 0, nil])
    #expect(limit.admit(at: start + .seconds(60)) == 1)
    #expect(limit.admit(at: start + .seconds(60)) == 0)
  }

  @Test func noLineIsLostFromTheCountAndNoSecondHasTooMany() {
    var random = SeededGenerator(seed: 4)
    var limit = LineLimit(perSecond: 5)
    let start = ContinuousClock.now
    var now = Duration.zero
    var passed: [Duration] = []
    var (offered, counted) = (0, 0)
    for _ in 0..<5000 {
      now += .milliseconds(Int.random(in: 0...300, using: &random) * (Int.random(in: 0...3, using: &random) / 3))
      offered += 1
      guard let dropped = limit.admit(at: start + now) else { continue }
      passed.append(now)
      counted += 1 + dropped
    }
    // Windows begin with a line that passes, so any second overlaps two of them at most.
    for (first, eleventh) in zip(passed, passed.dropFirst(10)) { #expect(eleventh - first >= .seconds(1)) }
    #expect(passed.count < offered)
    #expect(offered - counted < 5000 && counted <= offered)
    let rest = limit.admit(at: start + now + .seconds(2)).map { counted + $0 }
    #expect(rest == offered)
  }
}
