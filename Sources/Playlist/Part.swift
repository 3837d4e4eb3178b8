public import Media

extension MediaPlaylist {
  /// EXT-X-PART: a piece of a segment that is published before the segment is complete (rfc8216bis, section 4.4.4.9).
  public struct Part: Sendable, Equatable {
    /// Where the part is.
    public var uri: String
    /// The length of the part, at most the playlist's part target.
    public var duration: Ticks
    /// Whether the part holds an independent picture, so that playback can start with it.
    public var independent: Bool
    /// Whether the part is missing and must not be loaded.
    public var gap: Bool
    /// Which piece of the resource the part is; the whole one if `nil`.
    public var byteRange: ByteRange?

    /// A part at this address.
    public init(
      uri: String, duration: Ticks, independent: Bool = false, gap: Bool = false, byteRange: ByteRange? = nil
    ) {
      self.uri = uri
      self.duration = duration
      self.independent = independent
      self.gap = gap
      self.byteRange = byteRange
    }
  }

  /// EXT-X-PRELOAD-HINT: a resource that a client may ask for before it exists (rfc8216bis, section 4.4.5.3).
  public struct PreloadHint: Hashable, Sendable {
    /// Where the resource will be.
    public var uri: String
    /// BYTERANGE-START: bytes of the resource before the hinted piece.
    public var byteRangeStart: Int
    /// BYTERANGE-LENGTH: bytes in the hinted piece; up to the resource's end if `nil`.
    public var byteRangeLength: Int?

    /// A hint at this address.
    public init(uri: String, byteRangeStart: Int = 0, byteRangeLength: Int? = nil) {
      self.uri = uri
      self.byteRangeStart = byteRangeStart
      self.byteRangeLength = byteRangeLength
    }
  }
}
