import Media
import Testing

@testable import Station

@Suite struct EventFeedTests {
  @Test func whatHappensIsToldAsOneLineOfJSON() async throws {
    let feed = EventFeed()
    let time = WallTime(milliseconds: 1_790_000_000_000)
    feed.add(.still(time: time, bytes: 2345, size: PictureSize(width: 640, height: 480)), at: time)
    feed.add(.wave(count: 3), at: time)
    feed.add(.source(isRecorded: true), at: time)
    let events = try #require(await feed.events(after: 0, deadline: .now))
    #expect(events.map(\.kind) == [.still, .wave, .source])
    #expect(
      events.map(\.json) == [
        "{\"time\":\"\(time.iso8601)\",\"bytes\":2345,\"width\":640,\"height\":480}", "{\"waves\":3}",
        "{\"source\":\"recorded\"}",
      ])
  }

  @Test func noMoreMayListenThanThereIsRoomForAndThoseWhoDoAreServed() async {
    let feed = EventFeed()
    let deadline = ContinuousClock.now + .seconds(60)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<EventFeed.maxListeners {
        group.addTask { await feed.events(after: 0, deadline: deadline)?.count == 1 }
      }
      while feed.listeners != EventFeed.maxListeners { await Task.yield() }
      #expect(await feed.events(after: 0, deadline: deadline) == nil)
      feed.add(.wave(count: 1), at: WallTime(milliseconds: 1))
      for await isServed in group { #expect(isServed) }
    }
    #expect(feed.listeners == 0)
  }

  @Test func eventIdsRiseAlsoWhenTheWallClockStepsBack() async throws {
    let feed = EventFeed()
    for time in [1000, 900, 900, 2000] as [Int64] {
      feed.add(.wave(count: 1), at: WallTime(milliseconds: time))
    }
    let events = try #require(await feed.events(after: 0, deadline: .now))
    #expect(events.map(\.id) == [1000, 1001, 1002, 2000])
  }

  @Test func aListenerThatWasAwayGetsTheEventsThatAreKeptAndNoMore() async throws {
    let feed = EventFeed()
    for time in 1...500 { feed.add(.wave(count: 1), at: WallTime(milliseconds: Int64(time))) }
    let events = try #require(await feed.events(after: 10, deadline: .now))
    #expect(events.count == EventFeed.keptEvents)
    #expect(events.last?.id == 500)
    #expect(feed.newestID == 500)
  }

  @Test func aListenerOfEventsThatWereForgottenWaitsForTheNext() async throws {
    let feed = EventFeed()
    feed.add(.wave(count: 1), at: WallTime(milliseconds: 1000))
    feed.forget()
    async let answer = feed.events(after: 10, deadline: .now + .seconds(60))
    while feed.listeners == 0 { await Task.yield() }
    feed.add(.wave(count: 2), at: WallTime(milliseconds: 900))
    #expect(try #require(await answer).map(\.id) == [1001])
  }
}
