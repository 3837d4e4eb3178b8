import Media
import Playlist

/// Playlists that look like Quietcam's own.
enum Samples {
  static let map = MediaPlaylist.Map(uri: "init-1.mp4")
  /// 2026-11-21T09:30:00Z.
  static let start = WallTime(milliseconds: 1_795_253_400_000)

  /// A live playlist of 12-second segments with 1-second parts, in the middle of segment 1034.
  static var lowLatency: MediaPlaylist {
    MediaPlaylist(
      targetDuration: 12,
      mediaSequence: 1_028,
      discontinuitySequence: 3,
      independentSegments: true,
      serverControl: .init(
        canBlockReload: true, canSkipUntil: .seconds(72), holdBack: .seconds(36), partHoldBack: .seconds(3)),
      partTarget: .seconds(1),
      segments: (1_028..<1_034).map { number in
        MediaPlaylist.Segment(
          uri: "s\(number).m4s", duration: .seconds(12),
          programDateTime: start.advanced(by: .seconds(12) * Int64(number - 1_028)),
          discontinuity: number == 1_030,
          map: number < 1_030 ? map : .init(uri: "init-2.mp4"),
          parts: number < 1_033 ? [] : parts(of: number, 12))
      },
      trailingParts: parts(of: 1_034, 2),
      trailingMap: .init(uri: "init-2.mp4"),
      trailingProgramDateTime: start.advanced(by: .seconds(72)),
      preloadHint: .init(uri: "p1034.2.m4s"),
      renditionReports: [.init(uri: "../320x240/index.m3u8", lastMediaSequence: 1_034, lastPart: 1)])
  }

  /// The first parts of a segment.
  static func parts(of number: Int, _ count: Int, lasting duration: Ticks = .seconds(1)) -> [MediaPlaylist.Part] {
    (0..<count).map { .init(uri: "p\(number).\($0).m4s", duration: duration, independent: $0 == 0) }
  }

  /// A live window after so many seconds, with 2-second segments and half-second parts: the full playlist.
  static func window(at second: Int) -> MediaPlaylist {
    let complete = second / 2
    let first = max(0, complete - 20)
    let half = Ticks.milliseconds(500)
    return MediaPlaylist(
      targetDuration: 2, mediaSequence: first, discontinuitySequence: first / 7,
      serverControl: .init(canBlockReload: true, canSkipUntil: .seconds(12)), partTarget: half,
      segments: (first..<complete).map { number in
        MediaPlaylist.Segment(
          uri: "s\(number).m4s", duration: .seconds(2),
          programDateTime: start.advanced(by: .seconds(2 * Int64(number))), discontinuity: number % 7 == 6,
          map: .init(uri: "init-\((number + 1) / 7).mp4"),
          parts: number < complete - 3 ? [] : parts(of: number, 4, lasting: half))
      },
      trailingParts: parts(of: complete, second % 2 * 2, lasting: half), trailingDiscontinuity: complete % 7 == 6,
      trailingMap: .init(uri: "init-\((complete + 1) / 7).mp4"),
      trailingProgramDateTime: start.advanced(by: .seconds(2 * Int64(complete))),
      preloadHint: .init(uri: "p\(complete).\(second % 2 * 2).m4s"))
  }
}
