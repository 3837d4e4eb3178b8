import Media
import Playlist

extension PlaylistHistory {
  /// Checks one version by itself.
  mutating func judgeVersion(_ playlist: MediaPlaylist) {
    judge(.programDateTime, .liveness, .targetDuration)
    judgeWindow(playlist)
    if !playlist.segments.isEmpty, !playlist.segments.contains(where: { $0.programDateTime != nil }) {
      findOnce(.programDateTime, "there is no EXT-X-PROGRAM-DATE-TIME")
    }
    if playlist.endList {
      findOnce(.liveness, "EXT-X-ENDLIST: the stream is over", section: "4.4.3.4")
    }
    switch playlist.playlistType {
    case .vod?:
      findOnce(
        .liveness, "EXT-X-PLAYLIST-TYPE:VOD promises that the playlist never changes", severity: .must,
        section: "4.4.3.5")
    case .event?:
      findOnce(
        .liveness, "EXT-X-PLAYLIST-TYPE:EVENT promises that nothing is ever removed; a window cannot slide",
        severity: hasRemoved ? .must : .should, section: "4.4.3.5")
    case nil: break
    }
    judgeDateRanges(playlist)
    if playlist.partTarget != nil || playlist.serverControl != nil { judgeLowLatency(playlist) }
  }

  private mutating func judgeWindow(_ playlist: MediaPlaylist) {
    guard hasRemoved, !playlist.endList else { return }
    judge(.window)
    let least = Ticks.seconds(Int64(3 * playlist.targetDuration))
    // Durations are rounded to the precision of a playlist.
    if playlist.total + .milliseconds(10) < least {
      findOnce(
        .window, "a segment was removed although less than 3 target durations (\(least)) stay listed",
        at: "\(playlist.segments.count) segments, \(playlist.total)")
    } else if playlist.segments.count < 6 {
      findOnce(
        .window, "only \(playlist.segments.count) segments are listed; players expect 6", severity: .should,
        section: "Apple 8.11")
    }
  }

  private mutating func judgeDateRanges(_ playlist: MediaPlaylist) {
    for range in playlist.dateRanges {
      judge(.dateRange)
      if let known = dateRanges[range.id] {
        if let start = range.startDate, let first = known.startDate, start != first {
          findOnce(.dateRange, "the id \(range.id) began at \(first) and begins at \(start) now", at: range.id)
        } else if let kind = range.classification, let first = known.classification, kind != first {
          findOnce(.dateRange, "the id \(range.id) had the class \(first) and has \(kind) now", at: range.id)
        }
      } else if dateRanges.count < 10_000 {
        dateRanges[range.id] = range
      }
    }
  }

  /// Checks each segment once, when it first appears.
  mutating func judgeSegments(_ playlist: MediaPlaylist) {
    var previous: MediaPlaylist.Segment?
    for (index, segment) in playlist.segments.enumerated() {
      let number = playlist.mediaSequence + index
      if number >= firstUnjudged { judgeSegment(segment, number, after: previous, playlist) }
      previous = segment
    }
    if let last = previous, let map = playlist.trailingMap, map != last.map, !playlist.trailingDiscontinuity {
      findOnce(
        .splice, "EXT-X-MAP changes to \(map.uri) without EXT-X-DISCONTINUITY before it", at: "segment \(playlist.end)")
    }
  }

  /// Whether there is a discontinuity between two segments, as far as is known.
  private func isBroken(between old: Int, and number: Int, _ playlist: MediaPlaylist) -> Bool {
    let listed = max(old + 1, playlist.mediaSequence)...max(number, playlist.mediaSequence)
    return listed.contains { playlist.segment($0)?.discontinuity == true } || breaks.contains { $0 > old }
  }

  private mutating func judgeSegment(
    _ segment: MediaPlaylist.Segment, _ number: Int, after previous: MediaPlaylist.Segment?, _ playlist: MediaPlaylist
  ) {
    let place = "segment \(number)"
    let target = Ticks.seconds(Int64(playlist.targetDuration))
    if segment.duration >= target + .milliseconds(500) {
      find(
        .targetDuration, "it lasts \(segment.duration), which rounds to more than the target duration of \(target)",
        at: place)
    }
    if segment.byteRange == nil {
      // A loop comes again under the same names, each round after a discontinuity.
      if let other = numbers[segment.uri], other != number, !isBroken(between: other, and: number, playlist) {
        find(.mediaCaching, "its name \(segment.uri) was that of segment \(other) before", at: place, section: "6.2.1")
      }
      if numbers.count < 20_000 { numbers[segment.uri] = number }
    }
    guard let previous else { return }
    if segment.discontinuity {
      judge(.discontinuity, .splice)
      breaks = Array((breaks + [number]).suffix(100))
    }
    if segment.map != previous.map {
      judge(.splice)
      if !segment.discontinuity {
        findOnce(
          .splice, "EXT-X-MAP changes to \(segment.map?.uri ?? "none") without EXT-X-DISCONTINUITY before it", at: place
        )
      }
    }
    if segment.discontinuity, segment.programDateTime == nil, previous.programDateTime != nil {
      find(.programDateTime, "there is no date after the discontinuity", at: place, section: "Apple 8.4")
    }
    if let date = segment.programDateTime, let before = previous.programDateTime {
      let expected = before.advanced(by: previous.duration)
      if date.milliseconds < expected.milliseconds - 100 {
        find(
          .programDateTime,
          "it begins at \(date), but the segment before lasts until \(expected): a date means two moments", at: place,
          severity: .must, section: "6.2.1")
      }
    }
  }

  /// Whether the discontinuities are counted from the first version on, and segments are independent.
  mutating func judgePromises(_ playlist: MediaPlaylist, countsDiscontinuities: Bool, independentElsewhere: Bool)
    -> Verdicts
  {
    verdicts = Verdicts()
    judge(.discontinuity, .independence)
    if !countsDiscontinuities {
      findOnce(
        .discontinuity, "EXT-X-DISCONTINUITY-SEQUENCE is missing; it must be there before it can ever rise",
        severity: playlist.segments.contains { $0.discontinuity } ? .must : .should, section: "4.4.3.3; Apple 8.17")
    }
    if !playlist.independentSegments, !independentElsewhere {
      findOnce(
        .independence, "EXT-X-INDEPENDENT-SEGMENTS is missing", severity: .should, section: "4.4.2.1; Apple 9.11")
    }
    return verdicts
  }
}
