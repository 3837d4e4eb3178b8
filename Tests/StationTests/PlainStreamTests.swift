import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// What the playlist without parts owes to who has it: when it ends, when the process dies, and after a withdrawal.
@Suite struct PlainStreamTests {
  private let clock = HandClock()
  private let silent = Logger.silent

  private func camera(plainSegment: Ticks = .seconds(1)) throws -> Camera {
    let settings = try CameraSettings.sample(
      size: PictureSize(width: 32, height: 32), plainSegment: plainSegment, hold: nil, steady: .zero)
    return Camera(settings: settings, clock: clock.stationClock)
  }

  private func ask(_ camera: Camera) async {
    let task = Task { await camera.plainPlaylist(deadline: .now, isWanted: { false }) }
    task.cancel()
    _ = await task.value
  }

  private func settle(_ mirror: Mirror) async {
    await withCheckedContinuation { waiter in mirror.afterWriting { waiter.resume() } }
  }

  private func listed(_ camera: Camera) throws -> MediaPlaylist {
    try MediaPlaylist.parse(try #require(camera.edge.plain).plain)
  }

  private func bytes(_ names: [String], _ camera: Camera) -> [String: ByteBuffer] {
    names.reduce(into: [:]) { $0[$1] = camera.edge.media(named: $1) }
  }

  private func plainFiles(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("p") }.sorted()
  }

  /// A life that somebody asks for the playlist in, so many seconds long; then the process is killed.
  private func live(
    in folder: String, asking: Bool, seconds: Int,
    _ body: (Camera, inout CameraLoop, Mirror) async throws -> Void = { _, _, _ in }
  ) async throws -> Camera {
    let disk = FaultyDisk()
    let camera = try camera()
    let mirror = try Mirror(folder: folder, logger: silent, willDo: disk.willDo)
    var loop = try CameraLoop.open(camera: camera, mirror: mirror, folder: folder, logger: silent)
    for _ in 0..<seconds {
      loop.turn()
      if asking { await ask(camera) }
      loop.turn()
      clock.advance(by: .seconds(1))
    }
    await settle(mirror)
    try await body(camera, &loop, mirror)
    _ = consume loop
    disk.become(.dying(after: 0))
    await mirror.close()
    return camera
  }

  @Test(arguments: [1, 5] as [Int64])
  func whatWasListedWhenThePlaylistEndsIsServedForItsTimeAndNoLonger(segment: Int64) async throws {
    try await withFolder { folder in
      let camera = try camera(plainSegment: .seconds(segment))
      let mirror = try Mirror(folder: folder, logger: silent)
      var loop = try CameraLoop.open(camera: camera, mirror: mirror, folder: folder, logger: silent)
      for _ in 0..<60 {
        loop.turn()
        clock.advance(by: .seconds(1))
      }
      await ask(camera)
      var newest: MediaPlaylist?
      while newest == nil || camera.edge.plain != nil {
        loop.turn()
        if camera.edge.plain != nil { newest = try listed(camera) }
        clock.advance(by: .seconds(1))
      }
      let playlist = try #require(newest)
      let owed = playlist.segments.reduce(Ticks.seconds(segment)) { $0 + $1.duration }
      // The turn that ended it was a second ago.
      for second in 1..<owed.milliseconds / 1000 {
        for listed in playlist.segments {
          try #require(camera.edge.media(named: listed.uri) != nil, "\(listed.uri) has gone after \(second) s")
        }
        loop.turn()
        clock.advance(by: .seconds(1))
      }
      await settle(mirror)
      #expect(try plainFiles(folder).isEmpty == false)
      var served = owed.milliseconds / 1000
      while playlist.segments.contains(where: { camera.edge.media(named: $0.uri) != nil }), served < 200 {
        loop.turn()
        clock.advance(by: .seconds(1))
        served += 1
      }
      await settle(mirror)
      let most = camera.settings.timeline.plain.removedSegmentTime + .seconds(2)
      #expect(Ticks.seconds(served) <= most, "all is served for \(served) s")
      #expect(try plainFiles(folder).isEmpty, "all was served for \(served) s")
      _ = consume loop
      await mirror.close()
    }
  }

  @Test(arguments: [1, 20])
  func aNewLifeServesWhatWasListedAndUsesNoNumberAgain(seconds: Int) async throws {
    try await withFolder { folder in
      let first = try await live(in: folder, asking: true, seconds: seconds)
      let old = try listed(first)
      let names = old.segments.map(\.uri) + old.segments.compactMap { $0.map?.uri }
      let bodies = bytes(names, first)
      #expect(Set(names).count == bodies.count && old.segments.count >= 6)
      let second = try await live(in: folder, asking: true, seconds: 3)
      #expect(bytes(names, second) == bodies)
      let new = try listed(second)
      #expect(new.mediaSequence >= old.mediaSequence + old.segments.count)
      #expect(new.discontinuitySequence > old.discontinuitySequence)
      // Nobody asks for the playlist in the third life, and what both had listed is there.
      let third = try await live(in: folder, asking: false, seconds: 3)
      #expect(third.edge.plain == nil && bytes(names, third) == bodies)
      #expect(new.segments.allSatisfy { third.edge.media(named: $0.uri) != nil })
      // In the fourth its time is over.
      let fourth = try await live(in: folder, asking: false, seconds: 20)
      #expect(bytes(old.segments.map(\.uri), fourth).isEmpty)
      #expect(try plainFiles(folder).isEmpty)
    }
  }

  @Test func whatIsWithdrawnIsGoneFromTheFolderAndFromTheNextLife() async throws {
    try await withFolder { folder in
      // Some of it was listed in this life, some in the one before.
      let first = try await live(in: folder, asking: true, seconds: 5)
      var names = try listed(first).segments.map(\.uri)
      let second = try await live(in: folder, asking: true, seconds: 5) { camera, loop, mirror in
        names += try listed(camera).segments.map(\.uri)
        #expect(Set(names).isSubset(of: try plainFiles(folder)))
        loop.carryOut(.withdraw)
        await settle(mirror)
        #expect(try plainFiles(folder).isEmpty)
      }
      #expect(bytes(names, second).isEmpty)
      let third = try await live(in: folder, asking: false, seconds: 2)
      #expect(bytes(names, third).isEmpty)
    }
  }
}
