import Crypto
import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import Records

@Suite struct AudienceTests {
  private var audience = Audience(day: 1)
  private var now: Int64 = 1_000_000
  private var day: Int64 = 1

  private func viewer(
    _ address: String = "192.0.2.1", _ family: BrowserFamily = .chrome, _ camera: String = "desk"
  ) -> Audience.Viewer { Audience.Viewer(address: address, family: family, camera: camera) }

  private mutating func seen(_ viewer: Audience.Viewer, _ seconds: Int64 = 60, isLast: Bool = false) {
    audience.seen(viewer, seconds: seconds, isLast: isLast, now: now, day: day)
  }

  private mutating func asked(_ viewer: Audience.Viewer, pause: Int64 = 30) {
    audience.asked(viewer, pause: pause, now: now, day: day)
  }

  private mutating func viewers(_ camera: String = "desk") -> Int { audience.viewers(now: now, day: day)[camera] ?? 0 }
  private func watched() -> Int64 { audience.watched["desk"] ?? 0 }
  private mutating func visitors(_ camera: String = "desk") -> Int64 { audience.visitorsToday(day: day)[camera] ?? 0 }

  @Test mutating func oneElementIsOneVisitorAndOneViewerForAsLongAsItSpeaks() {
    seen(viewer(), 5)
    #expect(viewers() == 1 && visitors() == 1)
    for _ in 0..<200 {
      for _ in 0..<6 {
        now += 10
        #expect(viewers() == 1)
      }
      seen(viewer(), 60)
    }
    #expect(visitors() == 1)
    #expect(watched() == 5 + 200 * 60)
    now += Audience.presence
    #expect(viewers() == 0)
  }

  @Test mutating func toAskAgainInTheSameSecondChangesNothing() {
    var other = Audience(day: 1)
    var random = SeededGenerator(seed: 7)
    for _ in 0..<3000 {
      now += Int64.random(in: 0...3, using: &random)
      if Int.random(in: 0..<400, using: &random) == 0 { day += 1 }
      let viewer = viewer("192.0.2.\(Int.random(in: 1...3, using: &random))")
      if Int.random(in: 0..<20, using: &random) == 0 {
        seen(viewer, 10)
        other.seen(viewer, seconds: 10, isLast: false, now: now, day: day)
      }
      asked(viewer)
      for _ in 0...Int.random(in: 0...3, using: &random) { other.asked(viewer, pause: 30, now: now, day: day) }
      #expect(other.watched == audience.watched)
      #expect(other.viewers(now: now, day: day) == audience.viewers(now: now, day: day))
      #expect(other.visitorsToday(day: day) == audience.visitorsToday(day: day))
    }
    #expect(watched() > 100)
  }

  @Test mutating func whoLeavesIsNoViewerAtOnce() {
    seen(viewer(), 5)
    now += 20
    seen(viewer(), 20, isLast: true)
    #expect(viewers() == 0 && visitors() == 1)
    #expect(audience.watched["desk"] == 25)
  }

  @Test mutating func whoSawLessThanSomeSecondsIsNoVisitor() {
    seen(viewer(), 4)
    seen(viewer("192.0.2.2"), 0)
    seen(viewer("192.0.2.3"), -3)
    #expect(visitors() == 0)
    #expect(audience.watched["desk"] == 4)
  }

  @Test mutating func visitorsAreToldApartByAddressFamilyAndCamera() {
    seen(viewer())
    seen(viewer("192.0.2.2"))
    seen(viewer("192.0.2.2", .firefox))
    seen(viewer("192.0.2.2", .firefox, "yard"))
    seen(viewer())
    #expect(visitors() == 3 && visitors("yard") == 1)
    #expect(audience.takeVisitors() == [CameraDay(camera: "desk", day: 1): 3, CameraDay(camera: "yard", day: 1): 1])
    #expect(audience.takeVisitors().isEmpty)
  }

  @Test mutating func severalBehindOneAddressAreSeveralViewersAndOneVisitor() {
    // Ten people of a school begin at different seconds of a minute.
    for second in 0..<600 as Range<Int64> {
      now += 1
      for person in 0..<10 as Range<Int64> where (second + person * 6) % 60 == 0 { seen(viewer()) }
      if second > 120, second % 30 == 0 { #expect((9...11).contains(viewers()), "after \(second) s") }
    }
    #expect(visitors() == 1)
  }

  @Test mutating func playersAreCountedByTheirRequestsForPlaylists() {
    for _ in 0..<8 {
      asked(viewer("192.0.2.9", .player))
      now += 2
    }
    // Seven pauses of two seconds are not enough; what asks only now and then is nobody who watches.
    #expect(visitors() == 0 && viewers() == 0)
    for _ in 0..<100 {
      asked(viewer("192.0.2.9", .player))
      now += 2
    }
    #expect(visitors() == 1 && viewers() == 1)
    #expect(audience.watched["desk"] == 214)
    now += 40
    #expect(viewers() == 0)
  }

  @Test mutating func whoAsksNowAndThenDoesNotWatch() {
    for _ in 0..<1000 {
      asked(viewer("192.0.2.9", .player), pause: 30)
      now += 60
    }
    #expect(visitors() == 0 && audience.watched["desk"] == nil)
  }

  @Test mutating func anElementThatAsksForPlaylistsIsCountedOnce() {
    // The way with hls.js: playlists from the first moment, the first word after some seconds.
    for second in 0..<300 as Range<Int64> {
      now += 1
      if second % 2 == 0 { asked(viewer()) }
      if second == 8 { seen(viewer(), 5) }
      if second > 8, (second - 8) % 60 == 0 { seen(viewer(), 60) }
    }
    #expect(watched() == 5 + 4 * 60)
    #expect(visitors() == 1 && viewers() == 1)
  }

  @Test mutating func aFloodFromOneAddressAddsNoMoreThanItsShare() {
    for _ in 0..<200 {
      now += 3
      for family in BrowserFamily.allCases {
        for _ in 0..<9 { seen(viewer("203.0.113.5", family), 9999) }
      }
    }
    let most = Audience.viewersPerAddress
    #expect(audience.watched["desk"]! <= most * (600 + Audience.presence))
    #expect(viewers() <= Int(most) * 3 / 2 + BrowserFamily.allCases.count)
    #expect(visitors() <= Int64(BrowserFamily.allCases.count))
    // Who comes from elsewhere counts all the same.
    seen(viewer("192.0.2.77"))
    #expect(audience.visitorsToday(day: day)["desk"]! > visitors("yard"))
    let before = visitors()
    seen(viewer("192.0.2.78"))
    #expect(visitors() == before + 1)
  }

  @Test mutating func atMidnightTheKeyAndTheSetGo() {
    let made = NIOLockedValueBox(0)
    audience = Audience(day: 1) {
      made.withLockedValue { $0 += 1 }
      return SymmetricKey(size: .bits256)
    }
    seen(viewer())
    #expect(visitors() == 1)
    day = 2
    #expect(visitors() == 0 && viewers() == 0)
    #expect(made.withLockedValue { $0 } == 2)
    seen(viewer())
    now += 60
    seen(viewer())
    #expect(visitors() == 1 && viewers() == 1)
    // What was counted yesterday and not fetched yet still belongs to yesterday.
    #expect(audience.takeVisitors() == [CameraDay(camera: "desk", day: 1): 1, CameraDay(camera: "desk", day: 2): 1])
  }

  @Test mutating func aRestartCountsAVisitorTwice() {
    seen(viewer())
    var total = audience.takeVisitors().values.reduce(0, +)
    audience = Audience(day: 1)
    seen(viewer())
    total += audience.takeVisitors().values.reduce(0, +)
    #expect(total == 2)
  }

  @Test mutating func aClockThatIsSetDoesNotMakeTimesNegative() {
    seen(viewer())
    day = 0
    seen(viewer())
    #expect(visitors() == 1 && viewers() == 1)
  }

  @Test mutating func theKeyIsRandomAndOfNoDate() {
    let keys = NIOLockedValueBox<[[UInt8]]>([])
    for _ in 0..<3 {
      audience = Audience(day: 1) {
        let key = SymmetricKey(size: .bits256)
        keys.withLockedValue { $0.append(key.withUnsafeBytes { Array($0) }) }
        return key
      }
    }
    let made = keys.withLockedValue { $0 }
    #expect(Set(made).count == 3 && made.allSatisfy { $0.count == 32 })
  }
}
