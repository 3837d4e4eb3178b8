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

  @Test func theFirstStillFollowsTheSlateInTheMiddleOfASegment() throws {
    let settings = try CameraSettings.sample(hold: nil)
    let camera = Camera(settings: settings, clock: clock.stationClock)
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    var decoder = try StreamDecoder()
    var hasBegun = false
    /// Decodes the next part and says whether it begins with an IDR picture, and how bright its last picture is.
    func part() throws -> (isIDR: Bool, luma: Int) {
      clock.advance(by: .seconds(1))
      loop.turn()
      let snapshot = try #require(camera.edge.snapshot)
      let playlist = try MediaPlaylist.parse(snapshot.media.plain)
      let newest = try #require(playlist.trailingParts.last ?? playlist.segments.last?.parts.last)
      let bytes = try #require(camera.edge.media(named: newest.uri))
      let pictures = try #require(try FragmentReader.parts(in: bytes).first).pictures
      var luma = 0
      hasBegun = hasBegun || pictures[0].isIDR
      // Decoding begins with an IDR picture.
      for picture in pictures where hasBegun {
        let frame = try decoder.decode(picture)
        luma = frame.withPlane(0) { Int($0.row(0)[0]) }
      }
      return (pictures[0].isIDR, luma)
    }
    var pattern: [Bool] = []
    for _ in 0..<9 { pattern.append(try part().isIDR) }
    // The slate's segments have one IDR picture each.
    let places = pattern.indices.filter { pattern[$0] }
    #expect(places.count >= 2 && places[1] - places[0] == 4)
    while try !part().isIDR {}
    #expect(try part() == (false, 72))
    _ = try camera.take(try SampleStill.gray(180))
    // No second IDR picture comes in the segment, and the still is seen all the same.
    let shown = try part()
    #expect(!shown.isIDR)
    #expect(abs(shown.luma - (16 + 180 * 219 / 255)) < 6)
    #expect(try !part().isIDR)
    #expect(try part().isIDR)
    #expect(camera.counters.shown == 1)
  }
}
