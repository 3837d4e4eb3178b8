import Media

extension MediaPlaylist {
  /// One complete segment and the tags that apply to it (rfc8216bis, section 4.4.4).
  package struct Segment: Sendable, Equatable {
    /// Where the segment is, absolute or relative to the playlist.
    package var uri: String
    /// EXTINF: the length of the segment (section 4.4.4.1).
    package var duration: Ticks
    /// EXT-X-PROGRAM-DATE-TIME: the moment of the first sample, to the millisecond (section 4.4.4.6).
    package var programDateTime: WallTime?
    /// EXT-X-DISCONTINUITY: the encoding or the timeline changes before this segment (section 4.4.4.3).
    package var discontinuity: Bool
    /// EXT-X-MAP: the initialization section that the segment needs (section 4.4.4.5).
    ///
    /// The tag is rendered if the map differs from that of the segment before, and again at a discontinuity. A map
    /// stays in force until the next one, so `nil` after a segment with a map means the same map. The parser always
    /// gives a segment the map in force.
    package var map: Map?
    /// EXT-X-PART: the parts of the segment that are still listed; none for an old segment (section 4.4.4.9).
    package var parts: [Part]
    /// EXT-X-GAP: the segment is missing and must not be loaded (section 4.4.4.7).
    package var gap: Bool
    /// EXT-X-BYTERANGE: the segment is this byte range of the resource (section 4.4.4.2).
    package var byteRange: ByteRange?
    /// The title after the comma of EXTINF, for people; an empty one is the same as none.
    package var title: String?

    /// A segment with its tags; all but address and duration are optional.
    package init(
      uri: String,
      duration: Ticks,
      programDateTime: WallTime? = nil,
      discontinuity: Bool = false,
      map: Map? = nil,
      parts: [Part] = [],
      gap: Bool = false,
      byteRange: ByteRange? = nil,
      title: String? = nil
    ) {
      self.uri = uri
      self.duration = duration
      self.programDateTime = programDateTime
      self.discontinuity = discontinuity
      self.map = map
      self.parts = parts
      self.gap = gap
      self.byteRange = byteRange
      self.title = title
    }
  }

  /// EXT-X-MAP: the address of an initialization section (rfc8216bis, section 4.4.4.5).
  package struct Map: Hashable, Sendable {
    /// Where the initialization section is.
    package var uri: String
    /// Its byte range of the resource; `nil` for all of it.
    package var byteRange: ByteRange?

    /// An initialization section at this address.
    package init(uri: String, byteRange: ByteRange? = nil) {
      self.uri = uri
      self.byteRange = byteRange
    }
  }

  /// A byte range of a resource (rfc8216bis, section 4.4.4.2).
  package struct ByteRange: Hashable, Sendable {
    /// The number of bytes.
    package var length: Int
    /// The number of bytes before it; `nil` if it begins where the previous byte range of the same resource ended.
    package var offset: Int?

    /// A byte range of this length.
    package init(length: Int, offset: Int? = nil) {
      self.length = length
      self.offset = offset
    }
  }
}
