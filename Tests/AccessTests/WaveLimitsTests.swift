import Media
import Testing

@testable import Access

@Suite struct WaveLimitsTests {
  private let morning = WallTime(milliseconds: 1_790_000_000_000 / 86_400_000 * 86_400_000)

  private func later(_ seconds: Int64) -> WallTime { WallTime(milliseconds: morning.milliseconds + seconds * 1000) }

  @Test func aVisitorHasAFewAtOnceAndThenOneInAWhile() {
    let limits = WaveLimits()
    for _ in 0..<WaveLimits.burst { #expect(limits.wave(from: "a", isShared: false, now: morning) == .taken) }
    #expect(limits.wave(from: "a", isShared: false, now: morning) == .refused(seconds: 10))
    #expect(limits.wave(from: "a", isShared: false, now: later(4)) == .refused(seconds: 6))
    #expect(limits.wave(from: "b", isShared: false, now: later(4)) == .taken)
    #expect(limits.wave(from: "a", isShared: false, now: later(10)) == .taken)
    #expect(limits.wave(from: "a", isShared: false, now: later(10)) == .refused(seconds: 10))
    #expect(limits.refused == 3)
  }

  @Test func manyBehindOneAddressHaveMore() {
    let limits = WaveLimits()
    let taken = (0..<100).count { _ in limits.wave(from: "proxy", isShared: true, now: morning) == .taken }
    #expect(taken == WaveLimits.burst * WaveLimits.shared)
    #expect(limits.wave(from: "proxy", isShared: true, now: later(1)) == .taken)
  }

  @Test func theTableStaysAsLargeAsItIsAndWhoFindsNoPlaceSharesOne() {
    let limits = WaveLimits(mostVisitors: 10)
    var taken = 0
    for number in 0..<1000 where limits.wave(from: "\(number)", isShared: false, now: morning) == .taken { taken += 1 }
    #expect(taken == 10 + WaveLimits.burst * WaveLimits.shared)
    #expect(limits.visitors == 10)
    // Those who have waved long ago make room.
    #expect(limits.wave(from: "new", isShared: false, now: later(60)) == .taken)
    #expect(limits.visitors == 1)
  }

  @Test func theNetworksOfASiteAreNotAsManyVisitors() {
    let limits = WaveLimits()
    func network(_ site: Int, _ number: Int) -> String {
      let hex = String(site << 16 | number, radix: 16)
      return "20010db8" + String(repeating: "0", count: 8 - hex.count) + hex + "::/64"
    }
    let taken = (0..<60_000).count { limits.wave(from: network(1, $0), isShared: false, now: morning) == .taken }
    #expect(taken == WaveLimits.burst * WaveLimits.shared)
    #expect(limits.visitors == taken + 1, "those that were refused have no entry")
    // Nobody else has less for it, by IPv6 or IPv4, nor has one who was there before.
    #expect(limits.wave(from: network(2, 1), isShared: false, now: morning) == .taken)
    #expect(limits.wave(from: "203.0.113.9", isShared: false, now: morning) == .taken)
    #expect(limits.wave(from: network(1, 1), isShared: false, now: later(1)) == .taken)
    // Who waves on and on without having any left takes nothing from the others of the site.
    let greedy = (0..<1000).count { _ in limits.wave(from: network(3, 7), isShared: false, now: morning) == .taken }
    let others = (0..<100).count { limits.wave(from: network(3, 100 + $0), isShared: false, now: morning) == .taken }
    #expect(greedy == WaveLimits.burst && others == WaveLimits.burst * (WaveLimits.shared - 1))
  }

  @Test func nobodyIsKnownAfterMidnight() {
    let limits = WaveLimits()
    for _ in 0...WaveLimits.burst { _ = limits.wave(from: "a", isShared: false, now: later(86_399)) }
    #expect(limits.wave(from: "a", isShared: false, now: later(86_399)) != .taken)
    #expect(limits.wave(from: "b", isShared: false, now: later(86_400)) == .taken)
    #expect(limits.visitors == 1)
    #expect(limits.wave(from: "a", isShared: false, now: later(86_400)) == .taken)
  }

  @Test func aClockThatStepsBackLetsNobodyWaveForGood() {
    let limits = WaveLimits()
    for _ in 0..<WaveLimits.burst { _ = limits.wave(from: "a", isShared: false, now: later(100)) }
    #expect(limits.wave(from: "a", isShared: false, now: later(50)) != .taken)
    #expect(limits.wave(from: "a", isShared: false, now: later(110)) == .taken)
  }

  @Test(arguments: [
    ("203.0.113.7", "203.0.113.7"), ("203.0.113.7:4711", "203.0.113.7"), ("2001:db8:0:7::1", "20010db800000007::/64"),
    ("[2001:db8:0:7:ffff::2]:443", "20010db800000007::/64"), ("[2001:db8:0:7::3]", "20010db800000007::/64"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
  ])
  func anAddressThatAProxyNames(text: String, key: String) {
    #expect(ClientAddress(named: text)?.key == key)
  }

  @Test(arguments: ["", "unknown", "_hidden", "1.2.3", "1.2.3.4.5", "example.org", "[", "1.2.3.4:5:6", "fe80::1%eth0x"])
  func whatIsNoAddress(text: String) { #expect(ClientAddress(named: text) == nil) }
}
