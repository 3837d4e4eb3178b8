import Foundation
import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// What the camera's encoder costs viewers where its memory was given back, because no still came for long.
@Suite struct EncoderMemoryTests {
  private static let size = PictureSize(width: 32, height: 32)
  private let clock = HandClock()

  /// Plays a life of the process: so many slots, with a still in each of `stills`.
  ///
  /// - Returns: how many IDR pictures each segment of the last playlist has.
  private func live(
    in folder: String, _ slots: Int, veil: Veil.Settings, stills: Set<Int>
  ) async throws -> [Int] {
    var settings = try CameraSettings.sample(size: Self.size, segment: .seconds(6), hold: .seconds(900), steady: .zero)
    settings.veil = veil
    let camera = Camera(settings: settings, clock: clock.stationClock)
    let mirror = try Mirror(folder: folder, logger: .silent)
    var loop = try CameraLoop.open(camera: camera, mirror: mirror, folder: folder, logger: .silent)
    for slot in 0..<slots {
      if stills.contains(slot) { _ = try camera.take(try SampleStill.gray(40 + slot * 7 % 160, size: Self.size)) }
      clock.advance(by: .seconds(1))
      loop.turn()
    }
    await withCheckedContinuation { waiter in mirror.afterWriting { waiter.resume() } }
    let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    _ = consume loop
    await mirror.close()
    return try playlist.segments.map { segment in
      let bytes = try #require(camera.edge.media(named: segment.uri))
      return try FragmentReader.parts(in: bytes).flatMap(\.pictures).count { $0.isIDR }
    }
  }

  /// A segment of a loop has one IDR picture, so a live one must have no other: neither after a restart, which shows the
  /// picture of before, nor after minutes without a still.
  @Test func aStillAfterALongSilenceCostsNoIDRPictureWhereAVeilCanBegin() async throws {
    FFmpegLog.redirect(to: .silent)
    let veil = Veil.Settings(every: .seconds(36_000)...(.seconds(72_000)), length: .seconds(60)...(.seconds(120)))
    let folder = TemporaryFolder.path()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try await live(in: folder, 20, veil: veil, stills: Set(0..<20))
    // Restarted, with a still in the middle of a segment wherever that begins.
    let restarted = try await live(in: folder, 24, veil: veil, stills: [5, 10, 15, 20])
    #expect(restarted.allSatisfy { $0 == 1 }, "\(restarted)")
    let silent = try await live(in: folder, 345, veil: veil, stills: [0, 322, 325, 329])
    #expect(silent.allSatisfy { $0 == 1 }, "\(silent)")
  }
}
