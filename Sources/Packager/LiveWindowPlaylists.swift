import Media
import Playlist

extension LiveWindow {
  /// How far from the end a delta update still lists segments (rfc8216bis, section 4.4.3.8).
  private var skipBoundary: Ticks { settings.segment * 6 }

  /// The playlist without the segments that a player with a recent one already has; `nil` if there are none to leave
  /// out (rfc8216bis, section 6.2.5.1).
  package func delta(of playlist: MediaPlaylist) -> MediaPlaylist? { playlist.delta(skipUntil: skipBoundary) }

  /// The playlist with parts, for the origin.
  package var playlist: MediaPlaylist {
    MediaPlaylist(
      targetDuration: settings.targetDuration,
      mediaSequence: firstSequence,
      discontinuitySequence: discontinuitySequence,
      independentSegments: true,
      serverControl: MediaPlaylist.ServerControl(
        canBlockReload: true, canSkipUntil: skipBoundary, holdBack: settings.segment * 3,
        partHoldBack: settings.part * 3),
      partTarget: settings.part,
      segments: complete.map { listed($0.segment, parts: $0.listsParts ? parts(of: $0.segment) : []) },
      trailingParts: open.map { parts(of: $0.segment) } ?? [],
      trailingDiscontinuity: open?.segment.isDiscontinuous ?? announcesDiscontinuity,
      trailingMap: MediaPlaylist.Map(uri: initName),
      trailingProgramDateTime: open?.segment.date,
      preloadHint: complete.isEmpty && open == nil ? nil : MediaPlaylist.PreloadHint(uri: hintedName),
      dateRanges: dateRanges(of: complete.map(\.segment) + (open.map { [$0.segment] } ?? [])))
  }

  /// The playlist of complete segments only, for players and web servers that do not support parts.
  package var plainPlaylist: MediaPlaylist {
    MediaPlaylist(
      targetDuration: settings.targetDuration,
      mediaSequence: firstSequence,
      discontinuitySequence: discontinuitySequence,
      independentSegments: true,
      segments: complete.map { listed($0.segment, parts: []) },
      dateRanges: dateRanges(of: complete.map(\.segment)))
  }

  private func listed(_ segment: ListedSegment, parts: [MediaPlaylist.Part]) -> MediaPlaylist.Segment {
    MediaPlaylist.Segment(
      uri: segment.file, duration: settings.part * Int64(segment.partBytes.count),
      programDateTime: segment.date, discontinuity: segment.isDiscontinuous,
      map: MediaPlaylist.Map(uri: segment.map), parts: parts)
  }

  private func parts(of segment: ListedSegment) -> [MediaPlaylist.Part] {
    segment.partBytes.indices.map { index in
      MediaPlaylist.Part(uri: segment.name.part(index), duration: settings.part, independent: index == 0)
    }
  }

  /// One date range for each recorded segment; an id is made from a moment and never used twice.
  private func dateRanges(of segments: [ListedSegment]) -> [MediaPlaylist.DateRange] {
    segments.filter(\.isMarkedRecorded).map { $0.range(length: settings.segment) }
  }
}

extension ListedSegment {
  /// The date range that says that the segment shows the loop.
  package func range(length: Ticks) -> MediaPlaylist.DateRange {
    MediaPlaylist.DateRange(
      id: "recorded-\(date.milliseconds)", startDate: date, classification: "recorded", duration: length)
  }
}
