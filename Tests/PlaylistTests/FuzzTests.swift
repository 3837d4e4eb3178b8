import Media
import NIOCore
import Playlist
import TestSupport
import Testing

@Suite("No input crashes the parsers")
struct FuzzTests {
  /// What mutations put in: pieces of the format and bytes that parsers trip over.
  private static let pieces = [
    "\n", "\r\n", "\"", ",", "=", ":", "@", "#", "-", ".", "0", "9", "99999999999999999999", "2305843009213693952",
    "\u{0}", "é", "\u{85}", "YES", "NO", "#EXTINF:", "#EXTINF:1,\na\n", "#EXT-X-PART:", "#EXT-X-MAP:URI=\"i\"\n",
    "#EXT-X-DISCONTINUITY\n", "#EXT-X-ENDLIST\n", "#EXT-X-BYTERANGE:5\n", "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n",
    "#EXT-X-KEY:METHOD=NONE\n", "#EXT-X-DATERANGE:ID=\"a\"\n", "#EXT-X-I-FRAMES-ONLY\n", "#EXT-X-BITRATE:1\n",
  ].map { Array($0.utf8) }

  private static func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 1...4, using: &generator) {
      let place = Int.random(in: 0...bytes.count, using: &generator)
      let end = min(bytes.count, place + Int.random(in: 0...12, using: &generator))
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: bytes.removeSubrange(place..<end)
      case 1: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &generator))
      case 2 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      case 3 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &generator)
      default: bytes.replaceSubrange(place..<end, with: pieces.randomElement(using: &generator) ?? [])
      }
    }
  }

  @Test("mutated media playlists are refused, or mean the same after rendering", arguments: 0..<4)
  func media(seed: UInt64) throws {
    var generator = SeededGenerator(seed: 100 + seed)
    var accepted = 0
    for number in 0..<50 {
      let original = Array(MediaPlaylist.small(using: &generator).render().readableBytesView)
      for _ in 0..<60 {
        var bytes = original
        Self.mutate(&bytes, using: &generator)
        guard let playlist = try? MediaPlaylist.parse(ByteBuffer(bytes: bytes)) else { continue }
        accepted += 1
        let again = try MediaPlaylist.parse(playlist.render())
        #expect(
          again == playlist, "mutation of playlist \(number) of seed \(seed): \(String(decoding: bytes, as: UTF8.self))"
        )
        _ = playlist.delta(skipUntil: .seconds(1))?.merging(into: playlist)
        _ = playlist.merging(into: playlist)
      }
    }
    // A fuzzer that every mutation stops at the first line would test little.
    #expect(accepted > 120 && accepted < 2_700, "\(accepted)")
  }

  @Test("mutated multivariant playlists are refused, or mean the same after rendering", arguments: 0..<4)
  func multivariant(seed: UInt64) throws {
    var generator = SeededGenerator(seed: 200 + seed)
    var accepted = 0
    for number in 0..<50 {
      let original = Array(MultivariantPlaylist.random(using: &generator).render().readableBytesView)
      for _ in 0..<60 {
        var bytes = original
        Self.mutate(&bytes, using: &generator)
        guard let playlist = try? MultivariantPlaylist.parse(ByteBuffer(bytes: bytes)) else { continue }
        accepted += 1
        #expect(try MultivariantPlaylist.parse(playlist.render()) == playlist, "playlist \(number) of seed \(seed)")
      }
    }
    #expect(accepted > 120 && accepted < 2_700, "\(accepted)")
  }
}

extension MediaPlaylist {
  /// A short random playlist, so that many can be tried.
  fileprivate static func small(using generator: inout SeededGenerator) -> MediaPlaylist {
    var playlist = random(using: &generator)
    playlist.segments = Array(playlist.segments.prefix(2))
    playlist.dateRanges = Array(playlist.dateRanges.prefix(1))
    if playlist.segments.isEmpty { playlist.trailingDiscontinuity = true }
    return playlist
  }
}
