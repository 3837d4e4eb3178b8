import Access
import Ingest
import Media
import Packager
import Picture

/// All that makes one camera's stream.
package struct CameraSettings: Sendable, Hashable {
  /// What stands in its URLs.
  package var name: CameraName
  /// The digests of the tokens that its stills are pushed with. The first is that of the configuration, and signatures
  /// are made with it.
  package var tokens: [TokenDigest]
  /// Whether its stills may or must be signed.
  package var signing = SigningRule.off
  /// Who may see it.
  package var access = ViewerAccess.open
  /// The most stills a second that are taken from it.
  package var maxRate = 100
  /// What is done to its pictures.
  package var picture: PictureSettings
  /// How they are coded.
  package var encoder: EncoderSettings
  /// How time is cut.
  package var timeline: TimelineSettings
  /// The JPEG quality of `latest.jpg`, 1 to 100.
  package var latestQuality: Int
  /// The most bytes that one still may have.
  package var maxStillBytes: Int
  /// Which picture is shown of a push that brings several.
  package var stillChoice = StillChoice.first
  /// What the camera is told about how often it should send.
  package var interval: Ticks
  /// When the loop takes over and when the camera comes back.
  package var presence: CameraPresence.Settings
  /// How the loop of an off camera is spliced in.
  package var off: OffStyle
  /// When recorded pictures take the place of live ones by chance; `nil` for never.
  package var veil: Veil.Settings?
  /// How long a still is kept back before it is published.
  package var delay: Ticks
  /// Whether playlists and events tell what is recorded.
  package var marksRecorded: Bool
  /// How much of what was shown is kept for making a loop of it.
  package var remember: Ticks

  /// How the loop of an off camera is spliced into its stream.
  package enum OffStyle: String, CaseIterable, Sendable {
    /// Fresh names on a timeline that goes on: the splice that every player takes.
    case seamless
    /// The same names on each round, with a discontinuity at its seam: an off camera costs next to no bytes.
    case cached
  }
  /// A folder that stills are taken from besides those that are pushed; `nil` where there is none.
  package var folder: String?
  /// Whether that folder is looked at twice a second even where the system would tell of changes.
  package var scansFolder = false
  /// Whether stills become the latest picture, with their event, as soon as they have come, and not with their slot.
  /// It has no effect with a delay, and must not be where a veil falls: recorded pictures come with the slots.
  package var showsAtOnce = false

  /// What people call the camera; `nil` for its name.
  package var title: String?
  /// The most that `latest.jpg` and photos measure where stills show more than the stream does; `nil` for the stream's
  /// own size always, which has to be where a veil may fall: recorded pictures have that.
  package var photoSize: PictureSize?
  /// How many of the pictures that were shown last are kept as photos; 0 for none.
  package var keepPhotos = 0

  /// Stills of more pixels are decoded beside the camera's loop: they would take a good part of a slot's time.
  static let largeStill = 4_000_000

  /// Whether a still is decoded as soon as it has come.
  func decodesEarly(_ header: JPEGHeader) -> Bool {
    delay == .zero && (showsAtOnce || header.size.pixels > Self.largeStill)
  }

  /// The settings of a camera, all but its name and token with defaults that suit a quiet background picture.
  package init(
    name: CameraName, token: TokenDigest, picture: PictureSettings = PictureSettings(),
    encoder: EncoderSettings = EncoderSettings(), timeline: TimelineSettings, latestQuality: Int = 75,
    maxStillBytes: Int = 16 << 20, interval: Ticks = .seconds(2),
    presence: CameraPresence.Settings = CameraPresence.Settings(), off: OffStyle = .seamless,
    veil: Veil.Settings? = nil,
    delay: Ticks = .zero, marksRecorded: Bool = false, remember: Ticks = .seconds(600)
  ) {
    self.name = name
    tokens = [token]
    self.picture = picture
    self.encoder = encoder
    self.timeline = timeline
    self.latestQuality = latestQuality
    self.maxStillBytes = maxStillBytes
    self.interval = interval
    self.presence = presence
    self.off = off
    self.veil = veil
    self.delay = delay
    self.marksRecorded = marksRecorded
    self.remember = remember
  }
}
