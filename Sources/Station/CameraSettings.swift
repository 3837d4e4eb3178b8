import Access
import Media
import Packager
import Picture

/// All that makes one camera's stream.
public struct CameraSettings: Sendable, Hashable {
  /// What stands in its URLs.
  public var name: CameraName
  /// The digests of the tokens that its stills are pushed with. The first is that of the configuration, and signatures
  /// are made with it.
  public var tokens: [TokenDigest]
  /// Whether its stills may or must be signed.
  public var signing = SigningRule.off
  /// Who may see it.
  public var access = ViewerAccess.open
  /// The most stills a second that are taken from it.
  public var maxRate = 100
  /// What is done to its pictures.
  public var picture: PictureSettings
  /// How they are coded.
  public var encoder: EncoderSettings
  /// How time is cut.
  public var timeline: TimelineSettings
  /// The JPEG quality of `latest.jpg`, 1 to 100.
  public var latestQuality: Int
  /// The most bytes that one still may have.
  public var maxStillBytes: Int
  /// What the camera is told about how often it should send.
  public var interval: Ticks

  /// The settings of a camera, all but its name and token with defaults that suit a quiet background picture.
  public init(
    name: CameraName, token: TokenDigest, picture: PictureSettings = PictureSettings(),
    encoder: EncoderSettings = EncoderSettings(), timeline: TimelineSettings, latestQuality: Int = 75,
    maxStillBytes: Int = 16 << 20, interval: Ticks = .seconds(2)
  ) {
    self.name = name
    tokens = [token]
    self.picture = picture
    self.encoder = encoder
    self.timeline = timeline
    self.latestQuality = latestQuality
    self.maxStillBytes = maxStillBytes
    self.interval = interval
  }
}
