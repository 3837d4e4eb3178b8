import Hours
import Media
import NIOConcurrencyHelpers
import Packager
import Playlist
import TestSupport
import Testing

@testable import Station

/// A camera outside its hours does what a paused one does.
@Suite struct HoursWatchTests {
  private let clock = HandClock()
  /// The hand clock begins at 2026-09-21T14:13:20Z, a Monday.
  private let toCome = "14:13-14:14, 14:15-14:20 UTC"

  private func camera(_ hours: String?, isTrusted: @escaping @Sendable (WallTime) -> Bool = { _ in true }) throws
    -> Camera
  {
    var settings = try CameraSettings.sample(segment: .seconds(6), hold: .seconds(8), steady: .zero)
    settings.hours = try hours.map { try Hours($0) }
    let station = clock.stationClock
    return Camera(
      settings: settings,
      clock: StationClock(now: station.now, wall: station.wall, sleep: station.sleep, isTrusted: isTrusted))
  }

  private func loop(_ camera: Camera) throws -> CameraLoop {
    try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
  }

  /// Plays slots with stills; says what each of them showed.
  private func slots(_ count: Int, _ camera: Camera, _ loop: inout CameraLoop) throws -> [Director.Source] {
    try (0..<count).map { _ in
      _ = try camera.take(try SampleStill.gray(200))
      clock.advance(by: .seconds(1))
      loop.turn()
      return camera.counters.source
    }
  }

  @Test func aCameraIsShownFromItsFirstMomentToItsLast() throws {
    let camera = try camera(toCome)
    var loop = try loop(camera)
    // 14:14:00 comes after 40 seconds, 14:15:00 a minute later; a slot shows what came before it.
    let shown = try slots(150, camera, &loop)
    #expect(shown[2..<39].allSatisfy { $0 == .live })
    #expect(shown[40..<98].allSatisfy { $0 == .paused })
    #expect(shown[104...].allSatisfy { $0 == .live }, "published parts of the loop play first, as after a pause")
    let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    #expect(playlist.segments.allSatisfy { !$0.discontinuity })
  }

  @Test func anOrderAndTheHoursHoldTogether() throws {
    let camera = try camera(toCome)
    var loop = try loop(camera)
    loop.carryOut(.order(.pause))
    #expect(try slots(3, camera, &loop).last == .paused)
    loop.carryOut(.order(.resume))
    #expect(try slots(8, camera, &loop).last == .live)
    #expect(try slots(40, camera, &loop).last == .paused)
    loop.carryOut(.order(.resume))
    #expect(try slots(8, camera, &loop).allSatisfy { $0 == .paused }, "resume does not open a camera outside its hours")
    #expect(!camera.counters.standing.isPaused && camera.counters.hours?.isShown == false)
    loop.carryOut(.withdraw)
    clock.advance(by: .seconds(120))
    #expect(try slots(8, camera, &loop).allSatisfy { $0 == .paused }, "a withdrawal lasts until resume")
    #expect(camera.counters.standing.isPaused && camera.counters.hours?.isShown == true)
    loop.carryOut(.order(.resume))
    #expect(try slots(8, camera, &loop).last == .live)
  }

  @Test func aCameraThatOpensIsVeiledWhereAVeilIsOrdered() throws {
    let camera = try camera("14:15-14:20 UTC")
    var loop = try loop(camera)
    loop.carryOut(.order(.veil))
    #expect(try slots(20, camera, &loop).allSatisfy { $0 == .paused })
    clock.advance(by: .seconds(100))
    // Without a loop of the operator's, the veil cannot fall, and says so.
    #expect(try slots(8, camera, &loop).last == .live)
    #expect(camera.counters.standing.isVeiled)
  }

  @Test func otherHoursHoldWithTheNextPart() throws {
    let camera = try camera("10:00-11:00 UTC")
    var loop = try loop(camera)
    #expect(try slots(3, camera, &loop).last == .paused)
    loop.carryOut(.hours(try Hours("14:00-15:00 UTC")))
    #expect(try slots(8, camera, &loop).last == .live)
    loop.carryOut(.hours(try Hours("10:00-11:00 UTC")))
    #expect(try slots(2, camera, &loop).last == .paused)
    loop.carryOut(.hours(nil))
    #expect(try slots(8, camera, &loop).last == .live)
    #expect(camera.counters.hours == nil)
  }

  @Test func nothingIsShownUntilTheClockIsRight() throws {
    let isTrusted = NIOLockedValueBox(false)
    let camera = try camera("00:00-24:00 UTC") { _ in isTrusted.withLockedValue { $0 } }
    var loop = try loop(camera)
    #expect(try slots(5, camera, &loop).last == .paused)
    #expect(
      camera.counters.hours
        == HoursWatch.State(text: "00:00-24:00 UTC", isShown: false, until: nil, isTimeUnknown: true))
    isTrusted.withLockedValue { $0 = true }
    #expect(try slots(8, camera, &loop).last == .live)
  }

  @Test func aClockThatStepsIsFollowed() throws {
    let camera = try camera(toCome)
    var loop = try loop(camera)
    #expect(try slots(4, camera, &loop).last == .live)
    clock.stepWall(byMilliseconds: 3_600_000)
    #expect(try slots(2, camera, &loop).last == .paused)
    clock.stepWall(byMilliseconds: -3_600_000)
    #expect(try slots(8, camera, &loop).last == .live)
  }

  @Test func whatHoldsIsComputedOnceForEachChange() throws {
    let asked = NIOLockedValueBox(0)
    var watch = HoursWatch(try Hours(toCome))
    var changes: [Bool] = []
    for second: Int64 in 0..<600 {
      let wall = WallTime(milliseconds: 1_790_000_000_000 + second * 1000)
      let state = watch.state(at: wall) { _ in
        asked.withLockedValue { $0 += 1 }
        return true
      }
      if let state, state.isShown != changes.last { changes.append(state.isShown) }
    }
    #expect(changes == [true, false, true, false])
    #expect(asked.withLockedValue { $0 } == 4)
    var always = HoursWatch(nil)
    #expect(always.state(at: .now) { _ in false } == nil)
  }
}
