import Camera
import Media
import Testing

@Suite struct BackoffTests {
  @Test func doublesFromHalfASecondToThirty() {
    var backoff = Backoff()
    let waits = (0..<9).map { _ in backoff.wait(random: 0) }
    // At the low end of the jitter every wait is half of its limit.
    #expect(waits == [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000].map { Ticks.milliseconds($0) })
  }

  @Test(arguments: [UInt32(0), 1, 77_777_777, 1 << 31, .max]) func jitterStaysBetweenHalfAndTheWholeLimit(
    _ random: UInt32
  ) {
    var backoff = Backoff()
    for limit in [Int64(500), 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000] {
      let wait = backoff.wait(random: random)
      #expect(wait >= .milliseconds(limit / 2) && wait < .milliseconds(limit))
    }
  }

  @Test func moreRandomWaitsLonger() {
    var (low, high) = (Backoff(), Backoff())
    #expect(low.wait(random: 1 << 30) < high.wait(random: 3 << 30))
  }

  @Test func neverWaitsLessThanTheServerAsks() {
    var backoff = Backoff()
    #expect(backoff.wait(asked: .seconds(7), random: .max) == .seconds(7))
    #expect(backoff.wait(asked: .milliseconds(1), random: 0) == .milliseconds(500))
  }

  @Test func believesNoServerThatAsksForMoreThanAnHour() {
    var backoff = Backoff()
    #expect(backoff.wait(asked: .seconds(1_000_000), random: 0) == .seconds(3600))
  }

  @Test func beginsAnewAfterASuccess() {
    var backoff = Backoff()
    for _ in 0..<5 { _ = backoff.wait(random: 0) }
    backoff.reset()
    #expect(backoff.wait(random: 0) == .milliseconds(250))
  }
}
