import Media
import NIOCore
import Packager
import Picture
import Playlist
import TestSupport
import Testing

@testable import Station

/// What the parts take of a camera's memory.
@Suite struct PartMemoryTests {
  private let clock = HandClock()

  /// The bytes of a part stand in its segment too, and are there once.
  @Test func thePartsOfAWholeSegmentAreInItsMemory() throws {
    FFmpegLog.redirect(to: .silent)
    let size = PictureSize(width: 32, height: 32)
    let settings = try CameraSettings.sample(size: size, segment: .seconds(4), steady: .zero)
    let camera = Camera(settings: settings, clock: clock.stationClock)
    var loop = try CameraLoop.open(camera: camera, mirror: nil, folder: nil, logger: .silent)
    for slot in 0..<19 {
      _ = try camera.take(try SampleStill.gray(40 + slot * 7 % 160, size: size))
      clock.advance(by: .seconds(1))
      loop.turn()
    }
    let playlist = try MediaPlaylist.parse(try #require(camera.edge.snapshot).media.plain)
    var count = 0
    for segment in playlist.segments {
      let whole = try #require(camera.edge.media(named: segment.uri))
      var rest = whole
      for listed in segment.parts {
        let part = try #require(camera.edge.media(named: listed.uri))
        #expect(rest.readSlice(length: part.readableBytes) == part)
        #expect(Self.place(of: whole).contains(Self.place(of: part).lowerBound), "a part has memory of its own")
        count += 1
      }
    }
    #expect(count >= 8)
    _ = consume loop
  }

  private static func place(of bytes: ByteBuffer) -> Range<UInt> {
    bytes.withUnsafeReadableBytes { bytes in
      let begin = UInt(bitPattern: bytes.baseAddress)
      return begin..<begin + UInt(bytes.count)
    }
  }
}
