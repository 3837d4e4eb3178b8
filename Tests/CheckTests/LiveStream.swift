import Media
import Playlist

@testable import Check

/// A stream that keeps all rules, second by second: 2-second segments, and half-second parts where they are wanted.
struct LiveStream {
  var hasParts = false
  var listed = 12
  /// The segments with EXT-X-DISCONTINUITY before them; each begins a new init segment.
  var breaks: Set<Int> = []
  var segmentDuration: (Int) -> Ticks = { _ in .seconds(2) }
  var partDuration: (Int, Int) -> Ticks = { _, _ in .milliseconds(500) }

  /// 2026-11-21T09:30:00Z.
  static let start = WallTime(milliseconds: 1_795_253_400_000)
  /// The time from one version to the next.
  var step: Ticks { hasParts ? .milliseconds(500) : .seconds(2) }

  /// The version after so many steps.
  func version(_ step: Int) -> MediaPlaylist {
    let parts = hasParts ? step % 4 : 0
    let end = (hasParts ? step / 4 : step) + 14
    let first = max(0, end - listed)
    var playlist = MediaPlaylist(
      targetDuration: 2, mediaSequence: first,
      discontinuitySequence: breaks.count { $0 < first }, independentSegments: true,
      segments: (first..<end).map { number in
        MediaPlaylist.Segment(
          uri: "s\(number).mp4", duration: segmentDuration(number), programDateTime: date(number),
          discontinuity: breaks.contains(number), map: map(number),
          parts: hasParts && number >= end - 3 ? self.parts(number, 4) : [])
      })
    guard hasParts else { return playlist }
    playlist.serverControl = .init(
      canBlockReload: true, canSkipUntil: .seconds(12), holdBack: .seconds(6), partHoldBack: .milliseconds(1500))
    playlist.partTarget = .milliseconds(500)
    playlist.trailingParts = self.parts(end, parts)
    playlist.trailingMap = map(end)
    playlist.trailingDiscontinuity = breaks.contains(end)
    playlist.trailingProgramDateTime = date(end)
    playlist.preloadHint = .init(uri: "s\(end).\(parts).mp4")
    return playlist
  }

  private func map(_ number: Int) -> MediaPlaylist.Map { .init(uri: "init-\(breaks.count { $0 <= number }).mp4") }

  private func date(_ number: Int) -> WallTime {
    Self.start.advanced(by: (0..<number).reduce(.zero) { $0 + segmentDuration($1) })
  }

  private func parts(_ number: Int, _ count: Int) -> [MediaPlaylist.Part] {
    (0..<count).map {
      .init(uri: "s\(number).\($0).mp4", duration: partDuration(number, $0), independent: $0 == 0)
    }
  }

  /// Holds so many versions against the rules, each as it was changed, with the answers a twentieth of a second apart
  /// from the questions.
  func check(_ versions: Int = 48, late: Ticks = .zero, _ change: (Int, inout MediaPlaylist) -> Void = { _, _ in })
    -> [Finding]
  {
    var history = PlaylistHistory(url: "http://test/live.m3u8")
    var findings: [Finding] = []
    for number in 0..<versions {
      var playlist = version(number)
      change(number, &playlist)
      let asked = step * Int64(number)
      findings += history.take(playlist, asked: asked, arrived: asked + .milliseconds(50) + late).findings
      findings +=
        history.judgePromises(playlist, countsDiscontinuities: true, independentElsewhere: false).findings
    }
    return findings
  }
}
