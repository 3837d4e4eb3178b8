import Media

extension MediaPlaylist {
  /// The delta update of this playlist: the playlist without the segments that end `boundary` or further before the end
  /// of the last complete segment (rfc8216bis, section 6.2.5.1).
  ///
  /// The first remaining segment repeats the map and the date in force, because the tags of those before it are gone.
  /// Date ranges are not skipped. `nil` if there is nothing to skip, if the playlist has ended or is a delta itself, if
  /// `boundary` (the value of CAN-SKIP-UNTIL) is not positive, or if the first remaining segment continues the byte
  /// range of a skipped one. The answer is then the full playlist.
  package func delta(skipUntil boundary: Ticks) -> MediaPlaylist? {
    guard skipped == nil, !endList, boundary > .zero else { return nil }
    var kept = Ticks.zero
    var first = segments.count
    while first > 0, kept < boundary {
      first -= 1
      kept += segments[first].duration
    }
    guard first > 0, segments[first].byteRange.map({ $0.offset != nil }) ?? true else { return nil }
    var delta = self
    delta.skipped = first
    delta.segments = segments(from: first)
    return delta
  }

  /// The full playlist for this delta update, given an earlier version of it (section 6.3.7).
  ///
  /// Skipped segments are taken from `previous` without their parts, which are no longer listed that far from the end;
  /// everything else is from this playlist. `previous` must be full. A playlist that is no delta is returned as it is.
  /// `nil` if `previous` lacks a skipped segment: then the full playlist must be loaded.
  package func merging(into previous: MediaPlaylist) -> MediaPlaylist? {
    guard let skipped else { return self }
    let (first, overflow) = mediaSequence.subtractingReportingOverflow(previous.mediaSequence)
    guard previous.skipped == nil, !overflow, first >= 0, first <= previous.segments.count,
      (0...previous.segments.count - first).contains(skipped)
    else { return nil }
    var old = previous.segments(from: first).prefix(skipped)
    for index in old.indices { old[index].parts = [] }
    var full = self
    full.skipped = nil
    full.segments = old + segments
    return full
  }

  /// The segments from an index on. The first gets the map and the date that it would have had from those before it.
  private func segments(from first: Int) -> [Segment] {
    var tail = Array(segments[first...])
    guard !tail.isEmpty else { return tail }
    if tail[0].map == nil { tail[0].map = segments[..<first].last { $0.map != nil }?.map }
    if tail[0].programDateTime == nil, let dated = segments[..<first].lastIndex(where: { $0.programDateTime != nil }) {
      let passed = segments[dated..<first].reduce(Ticks.zero) { $0 + $1.duration }
      tail[0].programDateTime = segments[dated].programDateTime?.advanced(by: passed)
    }
    return tail
  }
}
