import Media

extension MediaPlaylist {
  /// EXT-X-PART: a piece of a segment that is published before the segment is complete (rfc8216bis, section 4.4.4.9).
  package struct Part: Sendable, Equatable {
    /// Where the part is.
    package var uri: String
    /// The length of the part, at most the playlist's part target.
    package var duration: Ticks
    /// Whether the part has an independent picture, so that playback can start with it.
    package var independent: Bool
    /// Whether the part is missing and must not be loaded.
    package var gap: Bool
    /// The byte range of the resource that is the part; `nil` for all of it.
    package var byteRange: ByteRange?

    /// A part at this address.
    package init(
      uri: String, duration: Ticks, independent: Bool = false, gap: Bool = false, byteRange: ByteRange? = nil
    ) {
      self.uri = uri
      self.duration = duration
      self.independent = independent
      self.gap = gap
      self.byteRange = byteRange
    }
  }

  /// EXT-X-PRELOAD-HINT: a resource that a client can request before it exists (rfc8216bis, section 4.4.5.3).
  package struct PreloadHint: Hashable, Sendable {
    /// Where the resource will be.
    package var uri: String
    /// BYTERANGE-START: the bytes of the resource before the hinted ones.
    package var byteRangeStart: Int
    /// BYTERANGE-LENGTH: the number of hinted bytes; `nil` up to the end of the resource.
    package var byteRangeLength: Int?

    /// A hint at this address.
    package init(uri: String, byteRangeStart: Int = 0, byteRangeLength: Int? = nil) {
      self.uri = uri
      self.byteRangeStart = byteRangeStart
      self.byteRangeLength = byteRangeLength
    }
  }
}
