import Media
import Playlist

/// What the multivariant playlist says about a camera's stream.
package struct StreamInfo: Hashable, Sendable {
  /// The most bits a second in any segment.
  package let peakBandwidth: Int
  /// The most bits a second on average.
  package let averageBandwidth: Int

  private let codec: String
  private let size: PictureSize
  private let step: Ticks

  /// The values for a stream with these settings.
  ///
  /// The encoder's rate control has a buffer of one segment. So no segment has more than twice the highest rate, and no
  /// long stretch more than that rate; the boxes around the parts are added. The numbers are bounds and not
  /// measurements, because a playlist that a player has read must stay true (rfc8216bis, section 4.4.6.2).
  package init(codec: String, size: PictureSize, encoder: EncoderSettings, timeline: TimelineSettings) {
    let boxBits = (112 + 4 * timeline.stepsPerPart) * 8
    let boxRate = Int(Int64(boxBits) * Ticks.perSecond / timeline.part.count)
    averageBandwidth = encoder.kilobits(for: size) * 1000 + boxRate
    peakBandwidth = 2 * encoder.kilobits(for: size) * 1000 + boxRate
    self.codec = codec
    self.size = size
    step = timeline.step
  }

  /// The multivariant playlist with the media playlist at `uri` as its only variant.
  package func multivariantPlaylist(uri: String) -> MultivariantPlaylist {
    MultivariantPlaylist(
      independentSegments: true,
      variants: [
        MultivariantPlaylist.Variant(
          uri: uri, bandwidth: peakBandwidth, averageBandwidth: averageBandwidth, codecs: codec, resolution: size,
          frameRate: MultivariantPlaylist.FrameRate(step: step), noClosedCaptions: true)
      ])
  }
}
