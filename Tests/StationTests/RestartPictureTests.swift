import Foundation
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// A restart that goes on with the last picture: what the earlier process left is there at once, and the picture is
/// decoded and encoded only when the camera's place among the others has come.
@Suite struct RestartPictureTests {
  private let clock = HandClock()

  private func camera() throws -> Camera {
    Camera(settings: try CameraSettings.sample(hold: .seconds(60), steady: .zero), clock: clock.stationClock)
  }

  /// A life in which a still is shown.
  private func live(in folder: String) async throws {
    let camera = try camera()
    let mirror = try Mirror(folder: folder, logger: .silent)
    var loop = try CameraLoop.open(camera: camera, mirror: mirror, folder: folder, logger: .silent)
    _ = try camera.take(try SampleStill.gray(200, size: camera.settings.picture.size))
    for _ in 0..<40 {
      loop.turn()
      clock.advance(by: .milliseconds(500))
    }
    _ = consume loop
    await mirror.close()
  }

  /// The brightness of the newest part's last picture.
  private func brightness(_ camera: Camera) throws -> Int {
    let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    let newest = try #require(playlist.segments.last)
    var decoder = try StreamDecoder()
    var value = 0
    let media = try #require(camera.edge.media(named: newest.uri))
    for picture in try FragmentReader.parts(in: media).flatMap(\.pictures) {
      value = try decoder.decode(picture).withPlane(0) { Int($0.row($0.height / 2)[4]) }
    }
    return value
  }

  @Test func theLastPictureIsThereAtOnceAndCodedAtTheCamerasPlace() async throws {
    try await withFolder { folder in
      try await live(in: folder)
      let stored = try #require(FileManager.default.contents(atPath: folder + "/latest.jpg"))
      for number in 0..<5 {
        let camera = try camera()
        let place = SlotPlace(number: number, isFirst: true)
        let wait = place.wait(at: clock.stationClock.wall(), slot: camera.settings.timeline.part)
        var loop = try CameraLoop.open(
          camera: camera, mirror: nil, folder: folder, place: place, logger: .silent)
        let opened = try #require(camera.edge.snapshot).position
        #expect(camera.edge.latest?.jpeg == ByteBuffer(bytes: stored))
        if wait > .milliseconds(1) {
          clock.advance(by: wait - .milliseconds(1))
          loop.turn()
          #expect(camera.edge.snapshot?.position == opened && camera.counters.codedLevel == nil)
          clock.advance(by: .milliseconds(1))
        }
        loop.turn()
        #expect(camera.edge.snapshot.map { $0.position > opened } == true && camera.counters.codedLevel == .full)
        clock.advance(by: .zero - wait)
      }
    }
  }

  @Test func theFirstPartsShowIt() async throws {
    try await withFolder { folder in
      try await live(in: folder)
      let camera = try camera()
      var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, logger: .silent)
      for _ in 0..<20 {
        loop.turn()
        clock.advance(by: .milliseconds(500))
      }
      #expect(abs(try brightness(camera) - (16 + 200 * 219 / 255)) < 6)
    }
  }

  /// A file that ends early, or is no picture, is not shown.
  @Test(arguments: [true, false]) func aDamagedPictureGivesWayToTheSlate(isCut: Bool) async throws {
    try await withFolder { folder in
      try await live(in: folder)
      let path = folder + "/latest.jpg"
      let stored = try #require(FileManager.default.contents(atPath: path))
      let damaged = isCut ? stored.prefix(stored.count / 2) : Data("no picture".utf8)
      try damaged.write(to: URL(filePath: path))
      let camera = try camera()
      var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: folder, logger: .silent)
      #expect(camera.edge.latest?.jpeg != ByteBuffer(bytes: damaged))
      for _ in 0..<20 {
        loop.turn()
        clock.advance(by: .milliseconds(500))
      }
      _ = try brightness(camera)
    }
  }
}
