import Media

extension MediaPlaylist {
  /// EXT-X-SERVER-CONTROL: the delivery directives that a server supports (rfc8216bis, section 4.4.3.8).
  package struct ServerControl: Sendable, Equatable {
    /// CAN-BLOCK-RELOAD: the server holds a request until a segment or part exists.
    package var canBlockReload: Bool
    /// CAN-SKIP-UNTIL: segments further from the end than this are skipped in a delta; at least six target durations.
    package var canSkipUntil: Ticks?
    /// HOLD-BACK: how far from the end a client should play; at least three target durations.
    package var holdBack: Ticks?
    /// PART-HOLD-BACK: the same at low latency; at least two, better three part targets.
    package var partHoldBack: Ticks?
    /// CAN-SKIP-DATERANGES: a delta can leave out date ranges too; needs `canSkipUntil`.
    package var canSkipDateRanges: Bool

    /// What the server supports; nothing by default.
    package init(
      canBlockReload: Bool = false,
      canSkipUntil: Ticks? = nil,
      holdBack: Ticks? = nil,
      partHoldBack: Ticks? = nil,
      canSkipDateRanges: Bool = false
    ) {
      self.canBlockReload = canBlockReload
      self.canSkipUntil = canSkipUntil
      self.holdBack = holdBack
      self.partHoldBack = partHoldBack
      self.canSkipDateRanges = canSkipDateRanges
    }
  }

  /// EXT-X-RENDITION-REPORT: how far another rendition's playlist is (rfc8216bis, section 4.4.5.4).
  package struct RenditionReport: Hashable, Sendable {
    /// Where that playlist is, relative to this one.
    package var uri: String
    /// LAST-MSN: the number of its last segment, complete or not; that of this playlist if `nil`.
    package var lastMediaSequence: Int?
    /// LAST-PART: the index of its last part in that segment; that of this playlist if `nil`.
    package var lastPart: Int?

    /// A report about the playlist at this address.
    package init(uri: String, lastMediaSequence: Int? = nil, lastPart: Int? = nil) {
      self.uri = uri
      self.lastMediaSequence = lastMediaSequence
      self.lastPart = lastPart
    }
  }
}
