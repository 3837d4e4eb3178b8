import Foundation
import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

@Suite struct CameraLoopTests {
  private func still(gray: Int) throws -> ByteBuffer { try SampleStill.gray(gray, isStriped: true) }

  /// Runs a camera's loop on a turned clock while `body` drives it, then ends it as a shutdown does.
  private func withLoop(
    mirror: Mirror? = nil, folder: String? = nil, change: (inout CameraSettings) -> Void = { _ in },
    _ body: (Camera, TurnedClock) async throws -> Void
  ) async throws {
    let clock = TurnedClock()
    var settings = try CameraSettings.sample()
    change(&settings)
    let camera = Camera(settings: settings, clock: clock.stationClock)
    let pool = EncodePool(threads: 1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: pool) {
        let loop = try CameraLoop.open(camera: camera, mirror: mirror, folder: folder, logger: .silent)
        await loop.run()
      }
      await clock.settle()
      try await body(camera, clock)
      group.cancelAll()
      try await group.waitForAll()
    }
    await pool.shutDown()
  }

  private func playlist(of camera: Camera) throws -> MediaPlaylist {
    try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
  }

  @Test func theFirstPlaylistIsAFullWindowAndAllOfItIsThere() async throws {
    try await withLoop { camera, _ in
      let playlist = try playlist(of: camera)
      #expect(playlist.segments.count == 6)
      #expect(playlist.trailingParts.count == 1)
      #expect(camera.edge.latest != nil)
      for segment in playlist.segments { #expect(camera.edge.media(named: segment.uri) != nil) }
      #expect(camera.edge.media(named: try #require(playlist.segments.first?.map?.uri)) != nil)
    }
  }

  @Test func aStillIsPublishedWithTheSlotThatBeginsNext() async throws {
    try await withLoop { camera, clock in
      let before = try #require(camera.edge.snapshot)
      #expect(try camera.take(still(gray: 200)).sequence == 1)
      await clock.advance(by: .milliseconds(999))
      #expect(camera.edge.snapshot?.position == before.position)
      await clock.advance(by: .milliseconds(1))
      let after = try #require(camera.edge.snapshot)
      #expect(after.position == before.hinted)
      // A part that only repeats the slate has some 150 bytes.
      #expect(try #require(camera.edge.media(named: before.hintedName)).readableBytes > 500)
      #expect(camera.counters.shown == 1)
    }
  }

  @Test func itIsKnownHowLongStillsAndSlotsTake() async throws {
    try await withLoop { camera, clock in
      let slots = camera.times.encode.counted.count
      await clock.advance(by: .milliseconds(400))
      _ = try camera.take(still(gray: 200))
      await clock.advance(by: .milliseconds(600))
      await clock.advance(by: .seconds(1))
      let stills = camera.times.stillToPart.counted
      // It waited for its slot; the clock of the test stands still while work is done.
      #expect(stills.count == 1 && stills.sum == 600_000_000)
      #expect(stills.cumulative == camera.times.stillToPart.bounds.map { $0 >= 600_000_000 ? 1 : 0 })
      #expect(camera.times.encode.counted.count == slots + 2)
    }
  }

  @Test func aStillThatDoesNotDecodeIsCountedAndTheLastGoodPictureStays() async throws {
    try await withLoop { camera, clock in
      _ = try camera.take(still(gray: 90))
      await clock.advance(by: .seconds(1))
      let latest = try #require(camera.edge.latest)
      var damaged = try still(gray: 220)
      // The scan's data becomes noise; the markers stay whole.
      let noise = (0..<60).map { UInt8(($0 * 37 + 11) % 200) }
      damaged.setBytes(noise, at: damaged.writerIndex - 2 - noise.count)
      _ = try camera.take(damaged)
      await clock.advance(by: .seconds(1))
      #expect(camera.counters.undecodable == 1 && camera.counters.shown == 1)
      #expect(camera.edge.latest?.etag == latest.etag)
      _ = try camera.take(still(gray: 30))
      await clock.advance(by: .seconds(1))
      #expect(camera.counters.shown == 2)
      #expect(camera.edge.latest?.etag != latest.etag)
    }
  }

  @Test func everyStillIsShownOrCountedAndTheTimelineHasNoGap() async throws {
    try await withLoop { camera, clock in
      var generator = SystemRandomNumberGenerator()
      let jpegs = try [still(gray: 40), still(gray: 120), still(gray: 210)]
      // The slots follow the stills by some milliseconds: two slots always have a part, one may end just before it.
      var (before, last) = (PartPosition(sequence: 0, part: 0), try #require(camera.edge.snapshot).position)
      for round in 0..<120 {
        for _ in 0..<[0, 0, 1, 1, 2, 7].randomElement(using: &generator)! { _ = try camera.take(jpegs[round % 3]) }
        // Late wake-ups, and a wall clock that steps both ways.
        let wallStep = round % 17 == 0 ? Int64.random(in: -5_000_000...5_000_000) : nil
        await clock.advance(by: round % 11 == 0 ? .milliseconds(2300) : .seconds(1), wallBy: wallStep)
        let position = try #require(camera.edge.snapshot).position
        #expect(position >= last && position > before)
        (before, last) = (last, position)
      }
      await clock.advance(by: .seconds(2))
      let counters = camera.counters
      #expect(counters.taken == counters.shown + counters.displaced + counters.undecodable)
      let dates = try playlist(of: camera).segments.compactMap { $0.programDateTime?.milliseconds }
      #expect(zip(dates, dates.dropFirst()).allSatisfy { $1 - $0 >= 4000 })
    }
  }

  @Test func listenersHearOfEachStillOnce() async throws {
    try await withLoop { camera, clock in
      let start = camera.events.newestID
      _ = try camera.take(still(gray: 60))
      await clock.advance(by: .seconds(1))
      _ = try camera.take(still(gray: 160))
      await clock.advance(by: .seconds(1))
      let events = try #require(await camera.events.events(after: start, deadline: .now + .seconds(5)))
      #expect(events.map(\.kind) == [.still, .still])
      #expect(events[0].id < events[1].id)
      #expect(events[1].json.contains("\"bytes\":"))
      let rest = try #require(await camera.events.events(after: events[0].id, deadline: .now + .seconds(5)))
      #expect(rest == [events[1]])
    }
  }

  @Test func aStormOfWavesIsCountedAndToldOnceASecond() async throws {
    try await withLoop { camera, clock in
      let start = camera.events.newestID
      for _ in 0..<500 { _ = camera.wave() }
      #expect(camera.counters.waves == 500)
      #expect(await camera.events.events(after: start, deadline: .now)?.map(\.json) == ["{\"waves\":1}"])
      await clock.advance(by: .seconds(1))
      let events = await camera.events.events(after: start, deadline: .now)
      #expect(events?.map(\.json) == ["{\"waves\":1}", "{\"waves\":500}"])
      await clock.advance(by: .seconds(5))
      #expect(await camera.events.events(after: start, deadline: .now)?.count == 2)
    }
  }

  @Test func whatIsRefusedAtTheDoorChangesNothingButItsCount() async throws {
    try await withLoop { camera, clock in
      #expect(throws: StillRefusal.self) { try camera.take(ByteBuffer(string: "GIF89a")) }
      await clock.advance(by: .seconds(1))
      #expect(camera.counters.refused == [.notJPEG: 1] && camera.counters.taken == 0 && camera.counters.shown == 0)
    }
  }

  /// Where the settings rule a veil out by now, what was hidden under one stays hidden.
  @Test(arguments: [true, false]) func aVeilThatTheSettingsRuleOutBecomesAPause(isAtOnce: Bool) async throws {
    try await withFolder { folder in
      let timeline = try CameraSettings.sample().timeline
      var standing = Director.Standing()
      standing.isVeiled = true
      let state = StreamState(
        reservedName: 6_000_000_000, part: timeline.part.count, segment: timeline.segment.count, mediaSequence: 500,
        discontinuitySequence: 3, segments: [], standing: standing, isLive: true)
      try StoreFile.replace(StreamState.fileName, in: folder, with: state.bytes)
      try await withLoop(
        folder: folder,
        change: { settings in
          settings.showsAtOnce = isAtOnce
          if !isAtOnce { settings.photoSize = PictureSize(width: 640, height: 480) }
        },
        { camera, clock in
          let before = try #require(camera.edge.latest)
          for _ in 0..<6 {
            _ = try camera.take(still(gray: 200))
            await clock.advance(by: .seconds(1))
          }
          #expect(camera.counters.source == .paused)
          #expect(camera.edge.latest?.etag == before.etag, "no still is shown")
        })
      let kept = try #require(StreamState.read(Mirror.file(StreamState.fileName, in: folder)))
      #expect(kept.standing.isPaused && !kept.standing.isVeiled)
    }
  }

  @Test func shutdownPublishesWhatStillWaitsAndEndsAllWaiting() async throws {
    let folder = TemporaryFolder.path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let mirror = try Mirror(folder: folder, logger: .silent)
    var seen: Camera?
    var before: PartPosition?
    try await withLoop(mirror: mirror, folder: folder) { camera, _ in
      seen = camera
      before = camera.edge.snapshot?.position
      _ = try camera.take(still(gray: 250))
    }
    let camera = try #require(seen)
    #expect(camera.counters.shown == 1)
    let last = try #require(camera.edge.snapshot)
    let earlier = try #require(before)
    #expect(last.position > earlier)
    // The mirror has the last picture, and no wait begins any more.
    let latest = try #require(FileManager.default.contents(atPath: folder + "/latest.jpg"))
    #expect(ByteBuffer(bytes: latest) == camera.edge.latest?.jpeg)
    guard case .ended = await camera.edge.wait(for: last.hinted, deadline: .now + .seconds(60)) else {
      Issue.record("a wait began at an edge that has ended")
      return
    }
    #expect(await camera.events.events(after: camera.events.newestID, deadline: .now + .seconds(60)) == nil)
  }
}
