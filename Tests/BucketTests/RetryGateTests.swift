import Media
import TestSupport
import Testing

@testable import Bucket

@Suite struct RetryGateTests {
  @Test func allGoUntilOneFailsThenOneAtATime() {
    var gate = RetryGate()
    #expect(gate.isOpen(at: .zero, underWay: 31, most: 32) && !gate.isOpen(at: .zero, underWay: 32, most: 32))
    gate.failed(at: .zero, random: .max)
    #expect(!gate.isOpen(at: .milliseconds(499), underWay: 0, most: 32))
    #expect(gate.isOpen(at: .milliseconds(500), underWay: 0, most: 32))
    #expect(!gate.isOpen(at: .milliseconds(500), underWay: 1, most: 32))
    gate.succeeded()
    #expect(gate.isOpen(at: .milliseconds(500), underWay: 31, most: 32))
  }

  @Test func waitsDoubleUpToTheLongestAndAreShortenedByChance() {
    for random in [UInt32.zero, .max] {
      var (gate, now, waits) = (RetryGate(), Ticks.zero, [Int64]())
      for _ in 0..<9 {
        gate.failed(at: now, random: random)
        waits.append((gate.nextTry - now).milliseconds)
        now = gate.nextTry
      }
      let whole: [Int64] = [500, 1000, 2000, 4000, 5000, 5000, 5000, 5000, 5000]
      for (wait, most) in zip(waits, whole) { #expect(abs(wait - (random == 0 ? most / 2 : most)) <= 1) }
    }
  }

  @Test func whatFailsTogetherCountsOnce() {
    var gate = RetryGate()
    for _ in 0..<20 { gate.failed(at: .milliseconds(1), random: .max) }
    #expect(gate.failures == 20 && gate.nextTry <= .milliseconds(501))
  }
}
