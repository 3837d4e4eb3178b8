import Media

/// One version of a media playlist: the list of segments of one rendition (rfc8216bis, section 4).
///
/// A pure value: `render()` writes it, `parse(_:)` reads it, `delta(skipUntil:)` shortens it and `merging(into:)`
/// undoes that. Parsing what was rendered gives an equal value, if the value can be said in a playlist: see
/// `Segment.map` and `trailingMap`.
///
/// The parser ignores tags that have no property here (EXT-X-KEY, EXT-X-START, EXT-X-BITRATE and unknown ones), as
/// section 6.3.1 requires. They are never rendered.
package struct MediaPlaylist: Sendable, Equatable {
  /// EXT-X-TARGETDURATION in whole seconds, the upper bound of every segment's rounded duration (section 4.4.3.1).
  package var targetDuration: Int
  /// EXT-X-MEDIA-SEQUENCE: the number of the first segment, counting those that a delta skips (section 4.4.3.2).
  package var mediaSequence: Int
  /// EXT-X-DISCONTINUITY-SEQUENCE: how many discontinuities are before the first segment (section 4.4.3.3). Always
  /// rendered, so that it can rise later.
  package var discontinuitySequence: Int
  /// EXT-X-INDEPENDENT-SEGMENTS: every segment decodes without the one before it (section 4.4.2.1).
  package var independentSegments: Bool
  /// EXT-X-SERVER-CONTROL: the delivery directives that the server supports; `nil` is the same as an empty one (section
  /// 4.4.3.8).
  package var serverControl: ServerControl?
  /// The PART-TARGET of EXT-X-PART-INF: the longest duration of a part. A playlist that lists parts needs it
  /// (section 4.4.3.7).
  package var partTarget: Ticks?
  /// EXT-X-SKIP: how many segments at the start a delta update left out; `nil` in a full playlist (section 4.4.5.2).
  package var skipped: Int?
  /// The complete segments, oldest first; in a delta only those that were not skipped.
  package var segments: [Segment]
  /// EXT-X-PART: the parts of the segment that is not complete yet (section 4.4.4.9).
  package var trailingParts: [Part]
  /// Whether EXT-X-DISCONTINUITY is between the last complete segment and what follows, which may not exist yet.
  package var trailingDiscontinuity: Bool
  /// EXT-X-MAP of what follows the last complete segment, rendered by the rule of `Segment.map`.
  ///
  /// The parser leaves it `nil` if nothing follows: no part, no discontinuity, no date and no other map.
  package var trailingMap: Map?
  /// EXT-X-PROGRAM-DATE-TIME of the first trailing part.
  package var trailingProgramDateTime: WallTime?
  /// EXT-X-PRELOAD-HINT with TYPE=PART: the part that will be published next (section 4.4.5.3).
  package var preloadHint: PreloadHint?
  /// EXT-X-PRELOAD-HINT with TYPE=MAP: the initialization section that will be needed next (section 4.4.5.3).
  package var mapPreloadHint: PreloadHint?
  /// EXT-X-RENDITION-REPORT: the positions of the other renditions (section 4.4.5.4).
  package var renditionReports: [RenditionReport]
  /// EXT-X-DATERANGE, in the order of their tags (section 4.4.5.1).
  package var dateRanges: [DateRange]
  /// EXT-X-ENDLIST: no segment will be added (section 4.4.3.4).
  package var endList: Bool
  /// EXT-X-PLAYLIST-TYPE; none while the window slides (section 4.4.3.5).
  package var playlistType: PlaylistType?

  /// A playlist with these values; all but the target duration are optional.
  package init(
    targetDuration: Int,
    mediaSequence: Int = 0,
    discontinuitySequence: Int = 0,
    independentSegments: Bool = false,
    serverControl: ServerControl? = nil,
    partTarget: Ticks? = nil,
    skipped: Int? = nil,
    segments: [Segment] = [],
    trailingParts: [Part] = [],
    trailingDiscontinuity: Bool = false,
    trailingMap: Map? = nil,
    trailingProgramDateTime: WallTime? = nil,
    preloadHint: PreloadHint? = nil,
    mapPreloadHint: PreloadHint? = nil,
    renditionReports: [RenditionReport] = [],
    dateRanges: [DateRange] = [],
    endList: Bool = false,
    playlistType: PlaylistType? = nil
  ) {
    self.targetDuration = targetDuration
    self.mediaSequence = mediaSequence
    self.discontinuitySequence = discontinuitySequence
    self.independentSegments = independentSegments
    self.serverControl = serverControl
    self.partTarget = partTarget
    self.skipped = skipped
    self.segments = segments
    self.trailingParts = trailingParts
    self.trailingDiscontinuity = trailingDiscontinuity
    self.trailingMap = trailingMap
    self.trailingProgramDateTime = trailingProgramDateTime
    self.preloadHint = preloadHint
    self.mapPreloadHint = mapPreloadHint
    self.renditionReports = renditionReports
    self.dateRanges = dateRanges
    self.endList = endList
    self.playlistType = playlistType
  }
}

extension MediaPlaylist {
  /// What the server promises about changes of the playlist (section 4.4.3.5).
  package enum PlaylistType: String, Sendable, CaseIterable {
    /// Segments are only added at the end.
    case event = "EVENT"
    /// The playlist never changes.
    case vod = "VOD"
  }
}
