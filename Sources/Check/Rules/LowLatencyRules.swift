import Media
import Playlist

extension PlaylistHistory {
  /// Checks the low latency tags of one version against L1, L2 and L6.
  mutating func judgeLowLatency(_ playlist: MediaPlaylist) {
    judgeControl(playlist)
    guard let target = playlist.partTarget else { return }
    judge(.partDuration, .preloadHint)
    for number in playlist.firstListed...playlist.end {
      let parts = playlist.parts(of: number)
      let isComplete = number < playlist.end
      let known = newest?.parts(of: number).count ?? 0
      let wasOpen = newest.map { $0.end == number } ?? false
      for (index, part) in parts.enumerated() {
        let isLast = index == parts.count - 1
        // The last part of an open segment is checked when it is known not to be the segment's last.
        guard index >= known || (wasOpen && index == known - 1) else { continue }
        let place = "part \(number).\(index)"
        if part.duration > target + Ticks(2) {
          findOnce(.partDuration, "\(place) lasts \(part.duration), more than the part target of \(target)", at: place)
        } else if !isLast, !part.gap, Ticks(part.duration.count * 100) < Ticks((target.count - 2) * 85) {
          findOnce(
            .partDuration, "\(place) lasts \(part.duration), less than 85 % of the part target of \(target)", at: place)
        }
      }
      if isComplete { judgeSum(of: parts, number, playlist) }
    }
    judgeOldParts(playlist)
    judgeHint(playlist)
  }

  private mutating func judgeSum(of parts: [MediaPlaylist.Part], _ number: Int, _ playlist: MediaPlaylist) {
    guard !parts.isEmpty, number >= firstUnjudged, let duration = playlist.segment(number)?.duration else { return }
    let sum = parts.reduce(Ticks.zero) { $0 + $1.duration }
    if abs(sum.count - duration.count) > Ticks.milliseconds(10).count {
      find(
        .partDuration, "its parts last \(sum) together, but its EXTINF is \(duration)", at: "segment \(number)",
        section: "4.4.4.9")
    }
  }

  private mutating func judgeOldParts(_ playlist: MediaPlaylist) {
    var fromEnd = playlist.trailingParts.reduce(Ticks.zero) { $0 + $1.duration }
    let target = Ticks.seconds(Int64(playlist.targetDuration))
    for index in playlist.segments.indices.reversed() {
      // A segment's parts leave all at once, so one segment more is allowed.
      if !playlist.segments[index].parts.isEmpty, fromEnd > target * 4 {
        findOnce(
          .partDuration, "parts are listed further than 3 target durations from the end",
          at: "segment \(playlist.mediaSequence + index)", severity: .should)
      }
      fromEnd += playlist.segments[index].duration
    }
  }

  private mutating func judgeControl(_ playlist: MediaPlaylist) {
    judge(.serverControl)
    let target = Ticks.seconds(Int64(playlist.targetDuration))
    let control = playlist.serverControl ?? MediaPlaylist.ServerControl()
    func atLeast(_ name: String, _ value: Ticks?, _ least: Ticks, _ text: String) -> String? {
      guard let value, value + Ticks(2) < least else { return nil }
      return "\(name) is \(value); it must be at least \(text), \(least)"
    }
    let tooSmall = [
      atLeast("HOLD-BACK", control.holdBack, target * 3, "3 target durations"),
      atLeast("CAN-SKIP-UNTIL", control.canSkipUntil, target * 6, "6 target durations"),
      playlist.partTarget.flatMap { atLeast("PART-HOLD-BACK", control.partHoldBack, $0 * 2, "2 part targets") },
    ]
    for text in tooSmall { if let text { findOnce(.serverControl, text) } }
    guard let part = playlist.partTarget else { return }
    if !control.canBlockReload { findOnce(.serverControl, "CAN-BLOCK-RELOAD=YES is missing with EXT-X-PART-INF") }
    if control.partHoldBack == nil { findOnce(.serverControl, "PART-HOLD-BACK is missing with EXT-X-PART-INF") }
    if let hold = control.partHoldBack, hold >= part * 2, hold + Ticks(2) < part * 3 {
      findOnce(.serverControl, "PART-HOLD-BACK is \(hold); 3 part targets, \(part * 3), are better", severity: .should)
    }
    if control.canSkipUntil == nil {
      findOnce(
        .serverControl, "CAN-SKIP-UNTIL is missing: no delta updates", severity: .should, section: "Apple 14.3")
    }
    if control.holdBack == nil {
      findOnce(.serverControl, "HOLD-BACK is missing for players without low latency", severity: .should)
    }
  }

  private mutating func judgeHint(_ playlist: MediaPlaylist) {
    if playlist.preloadHint == nil, !playlist.endList {
      findOnce(
        .preloadHint, "there is no EXT-X-PRELOAD-HINT for the next part", severity: .should, section: "4.4.5.3")
    }
    guard let old = newest, let hint = old.preloadHint else { return }
    // The parts of an old segment are not listed any more, so nothing can be said about them.
    let (parts, known) = (playlist.parts(of: old.end), old.trailingParts.count)
    let next =
      parts.count > known
      ? parts[known]
      : parts.count == known && known > 0 && playlist.end > old.end ? playlist.parts(of: old.end + 1).first : nil
    guard let next, !next.gap, next.uri != hint.uri else { return }
    // A segment may end before the part that was hinted, so that another picture comes at once.
    let ended = parts.count == known ? playlist.segment(old.end)?.duration : nil
    let room = Ticks.seconds(Int64(playlist.targetDuration)) - (playlist.partTarget ?? .zero)
    if let ended, ended <= room { return }
    find(
      .preloadHint, "\(hint.uri) was hinted, but the next part is \(next.uri)",
      at: "part \(old.end).\(old.trailingParts.count)", severity: .should, section: "4.4.5.3")
  }

  /// Checks a delta update against the full playlist it was made from (L5).
  ///
  /// - Returns: what is wrong, and the full playlist, if it can be restored.
  static func judgeDelta(
    _ delta: MediaPlaylist, previous: MediaPlaylist, url: String
  ) -> (Verdicts, full: MediaPlaylist?) {
    var verdicts = Verdicts()
    guard let skipped = delta.skipped else { return (verdicts, delta) }
    verdicts.judge(.delta)
    func find(_ message: String, _ severity: Rule.Severity = .must) {
      verdicts.add(Finding(.delta, message, url: url, place: "EXT-X-SKIP", severity: severity))
    }
    guard let full = delta.merging(into: previous) else {
      find(
        "\(skipped) segments from \(delta.mediaSequence) on are skipped, of which the version before lists only "
          + "\(previous.mediaSequence) to \(previous.end - 1)")
      return (verdicts, nil)
    }
    let boundary = previous.serverControl?.canSkipUntil ?? .zero
    let kept = delta.total
    if boundary > .zero, kept + .milliseconds(10) < boundary {
      find("only \(kept) stay after the skipped segments, less than CAN-SKIP-UNTIL of \(boundary)")
    }
    if let old = previous.segment(delta.mediaSequence + skipped), let first = delta.segments.first {
      if old.map != nil, first.map == nil { find("EXT-X-MAP is not repeated after the skipped segments", .should) }
      if old.programDateTime != nil, first.programDateTime == nil {
        find("EXT-X-PROGRAM-DATE-TIME is not repeated after the skipped segments", .should)
      }
    }
    return (verdicts, full)
  }

  /// Checks the rendition reports of a version against the existing media playlists (L7).
  ///
  /// - Parameters:
  ///   - others: the addresses of all other renditions, resolved.
  ///   - resolve: makes an address of the playlist absolute.
  static func judgeReports(
    _ playlist: MediaPlaylist, others: [String], url: String, resolve: (String) -> String
  ) -> Verdicts {
    var verdicts = Verdicts()
    guard !others.isEmpty, playlist.partTarget != nil else { return verdicts }
    verdicts.judge(.renditionReport)
    let reported = Set(playlist.renditionReports.map { resolve($0.uri) })
    for other in others where !reported.contains(other) {
      verdicts.add(Finding(.renditionReport, "EXT-X-RENDITION-REPORT for \(other) is missing", url: url))
    }
    return verdicts
  }
}
