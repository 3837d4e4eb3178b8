public import Media

/// A multivariant playlist: which media playlists there are and what each needs (rfc8216bis, section 4.4.6).
///
/// The parser ignores EXT-X-MEDIA, EXT-X-I-FRAME-STREAM-INF, EXT-X-SESSION-DATA and other tags that have no property
/// here. They are never rendered.
public struct MultivariantPlaylist: Sendable, Equatable {
  /// EXT-X-INDEPENDENT-SEGMENTS: holds for the segments of every variant (section 4.4.2.1).
  public var independentSegments: Bool
  /// The variants. Many players begin with the first.
  public var variants: [Variant]

  /// A playlist of these variants.
  public init(independentSegments: Bool = false, variants: [Variant] = []) {
    self.independentSegments = independentSegments
    self.variants = variants
  }
}

extension MultivariantPlaylist {
  /// EXT-X-STREAM-INF: one media playlist and what a player needs for it (section 4.4.6.2).
  public struct Variant: Sendable, Equatable {
    /// Where the media playlist is.
    public var uri: String
    /// BANDWIDTH: the peak of any segment, in bits a second.
    public var bandwidth: Int
    /// AVERAGE-BANDWIDTH: the mean over all segments, in bits a second.
    public var averageBandwidth: Int?
    /// CODECS: every sample format in it, in the form of RFC 6381, such as `avc1.64001e`.
    public var codecs: String?
    /// RESOLUTION: the best size to show the picture at.
    public var resolution: PictureSize?
    /// FRAME-RATE: the highest picture rate.
    public var frameRate: FrameRate?
    /// VIDEO-RANGE: the transfer characteristics; SDR by default.
    public var videoRange: VideoRange?
    /// Whether CLOSED-CAPTIONS=NONE is set, so that players do not look for captions in the video.
    public var noClosedCaptions: Bool

    /// A variant at this address; all but address and bandwidth are optional.
    public init(
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
  public struct FrameRate: Hashable, Comparable, Sendable {
    /// Pictures in a thousand seconds; not negative.
    public var thousandths: Int

    /// A rate of this many pictures in a thousand seconds.
    public init(thousandths: Int) { self.thousandths = thousandths }

    /// `pictures` a second.
    public init(perSecond pictures: Int) { self.init(thousandths: pictures * 1000) }

    /// One picture every `step`, rounded half up; `step` must be positive.
    public init(step: Ticks) {
      self.init(thousandths: Int((Ticks.perSecond * 1000 + step.count / 2) / step.count))
    }

    /// Orders rates from slow to fast.
    public static func < (left: FrameRate, right: FrameRate) -> Bool { left.thousandths < right.thousandths }
  }

  /// The transfer characteristics of the video (section 4.4.6.2).
  public enum VideoRange: String, Sendable, CaseIterable {
    /// Standard dynamic range.
    case sdr = "SDR"
    /// Hybrid log-gamma.
    case hlg = "HLG"
    /// Perceptual quantizer.
    case pq = "PQ"
  }
}
