import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// Parts of a loop that are published ahead of their time.
@Suite struct PublishedAheadTests {
  private static let size = PictureSize(width: 32, height: 32)

  /// What a playlist lists: init segments, segments and parts.
  private func names(of text: ByteBuffer) throws -> [String] {
    let playlist = try MediaPlaylist.parse(text)
    return playlist.segments.flatMap { [$0.uri] + $0.parts.map(\.uri) + ($0.map.map { [$0.uri] } ?? []) }
      + playlist.trailingParts.map(\.uri)
  }

  /// Makes so many slots with a still each.
  ///
  /// - Returns: what was listed meanwhile and could not be fetched.
  private func play(
    _ slots: Int, _ camera: Camera, _ loop: inout CameraLoop, _ clock: HandClock, jpeg: ByteBuffer
  ) throws -> Set<String> {
    var missing: Set<String> = []
    for _ in 0..<slots {
      _ = try camera.take(jpeg)
      clock.advance(by: .seconds(1))
      loop.turn()
      let listed = try names(of: try #require(camera.edge.furthest).media.plain)
      missing.formUnion(listed.filter { camera.edge.media(named: $0) == nil })
    }
    return missing
  }

  /// A cached loop uses its names again. The time for which a part of the last round is retained can end just when the
  /// part of this round with the same name is published ahead and not yet due.
  @Test func aNameThatIsPublishedAheadStaysWhenItsTimeFromTheLastRoundEnds() throws {
    FFmpegLog.redirect(to: .silent)
    let jpeg = try SampleStill.gray(120, size: Self.size)
    for liveSlots in 1...12 {
      let clock = HandClock()
      var settings = try CameraSettings.sample(size: Self.size, segment: .seconds(6), hold: .seconds(8), steady: .zero)
      settings.off = .cached
      let camera = Camera(settings: settings, clock: clock.stationClock)
      var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
      loop.carryOut(.order(.pause))
      var missing = try play(30, camera, &loop, clock, jpeg: jpeg)
      loop.carryOut(.order(.resume))
      missing.formUnion(try play(liveSlots, camera, &loop, clock, jpeg: jpeg))
      loop.carryOut(.order(.pause))
      missing.formUnion(try play(36, camera, &loop, clock, jpeg: jpeg))
      #expect(missing.isEmpty, "after \(liveSlots) live slots")
    }
  }
}
