import Media
import Playlist

/// Measures how long rendering a live playlist takes: 30 segments, the newest with their parts.
struct PlaylistBench {
  private static let segments = 30
  private static let parts = 15
  private static let segmentTime = Ticks.seconds(30)
  private static let partTime = Ticks.seconds(2)
  /// How often it is rendered for one measurement, because one takes less time than the clock can measure.
  private static let renders = 200

  private let playlist = Self.playlist(segments: Self.segments, openParts: 7)

  /// A live playlist at the default lengths of segments and parts.
  ///
  /// - Parameters:
  ///   - segments: how many complete ones are listed; the last two with their parts.
  ///   - openParts: how many parts the segment has that is being made.
  static func playlist(segments end: Int, openParts: Int) -> MediaPlaylist {
    let date = WallTime(milliseconds: 1_795_253_400_000)
    func parts(_ segment: Int, _ count: Int) -> [MediaPlaylist.Part] {
      (0..<count).map {
        .init(uri: "\(6_029_096_000 + segment).\($0).mp4", duration: Self.partTime, independent: $0 == 0)
      }
    }
    return MediaPlaylist(
      targetDuration: 30, mediaSequence: 200, independentSegments: true,
      serverControl: .init(
        canBlockReload: true, canSkipUntil: .seconds(180), holdBack: .seconds(90), partHoldBack: .seconds(6)),
      partTarget: Self.partTime,
      segments: (0..<end).map {
        .init(
          uri: "\(6_029_096_000 + $0).mp4", duration: Self.segmentTime,
          programDateTime: date.advanced(by: Self.segmentTime * Int64($0)), map: .init(uri: "init-1.mp4"),
          parts: $0 >= end - 2 ? parts($0, Self.parts) : [])
      },
      trailingParts: parts(end, openParts), trailingMap: .init(uri: "init-1.mp4"),
      trailingProgramDateTime: date.advanced(by: Self.segmentTime * Int64(end)),
      preloadHint: .init(uri: "\(6_029_096_000 + end).\(openParts).mp4"))
  }

  /// The processor time of one rendering, in nanoseconds.
  func run() -> Int64 {
    var samples = Samples()
    for _ in 0..<50 {
      samples.measure { for _ in 0..<Self.renders { _ = playlist.render() } }
    }
    return samples.median / Int64(Self.renders)
  }
}
