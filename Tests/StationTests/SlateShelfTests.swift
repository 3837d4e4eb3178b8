import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// Idle cameras share one slate and have no encoder; the first still opens it.
@Suite struct SlateShelfTests {
  private let clock = HandClock()

  @Test func camerasOfTheSameSettingsShareTheirSlate() throws {
    let shelf = SlateShelf()
    let settings = try CameraSettings.sample()
    var other = CameraSettings(name: try #require(CameraName("other")), timeline: settings.timeline)
    (other.picture, other.encoder, other.title) = (settings.picture, settings.encoder, "Other")
    let one = try shelf.slate(for: settings, logger: .silent).segment(0)
    let two = try shelf.slate(for: other, logger: .silent).segment(0)
    // They are the same bytes in memory.
    let places = [one, two].map { segment in segment.opening.withUnsafeReadableBytes { $0.baseAddress } }
    #expect(places[0] == places[1])
    other.latestQuality = 20
    let three = try shelf.slate(for: other, logger: .silent).segment(0)
    #expect(three.opening != one.opening)
    shelf.keep(for: [settings])
    #expect(try shelf.slate(for: settings, logger: .silent).segment(0).opening == one.opening)
  }

  @Test func theFirstStillComesWithAnIDRPictureInTheMiddleOfASegment() throws {
    let settings = try CameraSettings.sample(hold: nil)
    let camera = Camera(settings: settings, clock: clock.stationClock)
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    func part() throws -> Bool {
      clock.advance(by: .seconds(1))
      loop.turn()
      let snapshot = try #require(camera.edge.snapshot)
      let playlist = try MediaPlaylist.parse(snapshot.media.plain)
      let newest = try #require(playlist.trailingParts.last ?? playlist.segments.last?.parts.last)
      let bytes = try #require(camera.edge.media(named: newest.uri))
      return try #require(try FragmentReader.parts(in: bytes).first?.pictures.first).isIDR
    }
    var pattern: [Bool] = []
    for _ in 0..<8 { pattern.append(try part()) }
    // The slate's segments have one IDR picture each.
    #expect(pattern.count { $0 } == 2)
    while try !part() {}
    #expect(try !part())
    _ = try camera.take(try SampleStill.gray(180))
    #expect(try part())
    #expect(try !part())
    #expect(camera.counters.shown == 1)
  }
}
