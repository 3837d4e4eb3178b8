import Media

/// A multivariant playlist: which media playlists there are and what each needs (rfc8216bis, section 4.4.6).
///
/// The parser ignores EXT-X-MEDIA, EXT-X-I-FRAME-STREAM-INF, EXT-X-SESSION-DATA and other tags that have no property
/// here. They are never rendered.
package struct MultivariantPlaylist: Sendable, Equatable {
  /// EXT-X-INDEPENDENT-SEGMENTS: holds for the segments of every variant (section 4.4.2.1).
  package var independentSegments: Bool
  /// The variants. Many players begin with the first.
  package var variants: [Variant]

  /// A playlist of these variants.
  package init(independentSegments: Bool = false, variants: [Variant] = []) {
    self.independentSegments = independentSegments
    self.variants = variants
  }
}

extension MultivariantPlaylist {
  /// EXT-X-STREAM-INF: one media playlist and what a player needs for it (section 4.4.6.2).
  package struct Variant: Sendable, Equatable {
    /// Where the media playlist is.
    package var uri: String
    /// BANDWIDTH: the peak of any segment, in bits a second.
    package var bandwidth: Int
    /// AVERAGE-BANDWIDTH: the mean over all segments, in bits a second.
    package var averageBandwidth: Int?
    /// CODECS: every sample format in it, in the form of RFC 6381, such as `avc1.64001e`.
    package var codecs: String?
    /// RESOLUTION: the best size to show the picture at.
    package var resolution: PictureSize?
    /// FRAME-RATE: the highest picture rate.
    package var frameRate: FrameRate?
    /// VIDEO-RANGE: the transfer characteristics; SDR by default.
    package var videoRange: VideoRange?
    /// Whether CLOSED-CAPTIONS=NONE is set, so that players do not look for captions in the video.
    package var noClosedCaptions: Bool

    /// A variant at this address; all but address and bandwidth are optional.
    package init(
      uri: String,
      bandwidth: Int,
      averageBandwidth: Int? = nil,
      codecs: String? = nil,
      resolution: PictureSize? = nil,
      frameRate: FrameRate? = nil,
      videoRange: VideoRange? = nil,
      noClosedCaptions: Bool = false
    ) {
      self.uri = uri
      self.bandwidth = bandwidth
      self.averageBandwidth = averageBandwidth
      self.codecs = codecs
      self.resolution = resolution
      self.frameRate = frameRate
      self.videoRange = videoRange
      self.noClosedCaptions = noClosedCaptions
    }
  }

  /// A picture rate in thousandths of a picture a second, the precision that FRAME-RATE has (section 4.4.6.2).
  package struct FrameRate: Hashable, Comparable, Sendable {
    /// Pictures in a thousand seconds; not negative.
    package var thousandths: Int

    /// A rate of this many pictures in a thousand seconds.
    package init(thousandths: Int) { self.thousandths = thousandths }

    /// `pictures` a second.
    package init(perSecond pictures: Int) { self.init(thousandths: pictures * 1000) }

    /// One picture every `step`, rounded half up; `step` must be positive.
    package init(step: Ticks) {
      self.init(thousandths: Int((Ticks.perSecond * 1000 + step.count / 2) / step.count))
    }

    /// Orders rates from slow to fast.
    package static func < (left: FrameRate, right: FrameRate) -> Bool { left.thousandths < right.thousandths }
  }

  /// The transfer characteristics of the video (section 4.4.6.2).
  package enum VideoRange: String, Sendable, CaseIterable {
    /// Standard dynamic range.
    case sdr = "SDR"
    /// Hybrid log-gamma.
    case hlg = "HLG"
    /// Perceptual quantizer.
    case pq = "PQ"
  }
}
