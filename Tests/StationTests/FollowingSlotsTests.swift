import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// A camera's loop whose slots follow the stills, on a clock that is turned by hand.
@Suite struct FollowingSlotsTests {
  private static let size = PictureSize(width: 32, height: 32)

  private struct Course {
    /// When parts were published.
    var beginnings: [Ticks] = []
    /// How long each still waited for the next part.
    var waits: [Ticks] = []
    /// By how much the date of each new segment was ahead of the wall clock when it began, in milliseconds.
    var ahead: [Int64] = []
    var durations: Set<Int64> = []
  }

  /// Runs a loop for so many seconds, with a still in each of them.
  ///
  /// - Parameter wait: how long the stills wait for the slots at first.
  private func run(_ seconds: Int64, wait: Ticks, veil: Veil.Settings? = nil) throws -> Course {
    FFmpegLog.redirect(to: .silent)
    var settings = try CameraSettings.sample(size: Self.size)
    settings.veil = veil
    let clock = HandClock()
    let camera = Camera(settings: settings, clock: clock.stationClock)
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    loop.turn()
    let jpeg = try SampleStill.gray(120, size: Self.size)
    var course = Course()
    var position = camera.edge.snapshot?.position
    var still: Ticks?
    for step in 1...seconds * 1000 {
      clock.advance(by: .milliseconds(1))
      if step % 1000 == 1000 - wait.milliseconds {
        _ = try camera.take(jpeg)
        still = clock.now
      }
      loop.turn()
      guard let snapshot = camera.edge.snapshot, snapshot.position != position else { continue }
      position = snapshot.position
      course.beginnings.append(clock.now)
      if let came = still.take() { course.waits.append(clock.now - came) }
      let playlist = try MediaPlaylist.parse(snapshot.media.plain)
      course.durations.formUnion(playlist.segments.map(\.duration.count))
      if snapshot.position.part == 0, let date = playlist.trailingProgramDateTime {
        course.ahead.append(date.milliseconds - camera.clock.wall().milliseconds)
      }
    }
    return course
  }

  @Test(arguments: [300, 40] as [Int64])
  func slotsBeginJustAfterTheStillsOfASteadyCamera(wait: Int64) throws {
    let course = try run(80, wait: .milliseconds(wait))
    #expect(
      course.waits.suffix(5).allSatisfy { $0 >= .milliseconds(100) && $0 <= .milliseconds(140) }, "\(course.waits)")
    for (first, second) in zip(course.beginnings, course.beginnings.dropFirst()) {
      #expect(abs((second - first).milliseconds - 1000) <= 5)
    }
    #expect(course.ahead.allSatisfy { (-10...250).contains($0) }, "\(course.ahead)")
    #expect(course.durations == [Ticks.seconds(4).count], "media time does not move")
  }

  @Test func slotsKeepOnePhaseWhereAVeilCanBegin() throws {
    let veil = Veil.Settings(every: .seconds(3600)...(.seconds(7200)), length: .seconds(60)...(.seconds(120)))
    let course = try run(40, wait: .milliseconds(300), veil: veil)
    #expect(course.waits.allSatisfy { $0 == .milliseconds(300) }, "\(course.waits)")
  }

  @Test func aCameraIsAdvisedToSendLaterOrEarlier() throws {
    var settings = try CameraSettings.sample(size: Self.size)
    settings.interval = .seconds(1)
    let clock = HandClock()
    let camera = Camera(settings: settings, clock: clock.stationClock)
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    let jpeg = try SampleStill.gray(120, size: Self.size)
    var (next, waits, still, position) = (
      clock.now + .milliseconds(650), [Ticks](), Ticks?.none, camera.edge.snapshot?.position
    )
    for _ in 0..<30_000 {
      clock.advance(by: .milliseconds(1))
      if clock.now >= next {
        next = clock.now + (try camera.take(jpeg).interval)
        still = clock.now
      }
      loop.turn()
      if camera.edge.snapshot?.position != position, let came = still.take() { waits.append(clock.now - came) }
      position = camera.edge.snapshot?.position
    }
    #expect(waits.count >= 25)
    #expect(waits.dropFirst(8).allSatisfy { $0 >= .milliseconds(110) && $0 <= .milliseconds(130) }, "\(waits)")
  }
}
