import Hours
import Ingest
import Media
import Packager
import Picture

/// All settings of one camera's stream.
package struct CameraSettings: Sendable, Hashable {
  /// The name in its URLs.
  package var name: CameraName
  /// The processing of its pictures.
  package var picture = PictureSettings()
  /// How they are encoded.
  package var encoder = EncoderSettings()
  /// How time is divided.
  package var timeline: TimelineSettings
  /// The JPEG quality of `latest.jpg`, 1 to 100.
  package var latestQuality = 75
  /// The most bytes of one still.
  package var maxStillBytes = 16 << 20
  /// Which picture is shown of a push that brings several.
  package var stillChoice = StillChoice.first
  /// The interval that the camera is advised to keep.
  package var interval = Ticks.seconds(2)
  /// When the loop replaces the camera and when the camera comes back.
  package var presence = CameraPresence.Settings()
  /// How the loop of an off camera is spliced in.
  package var off = OffStyle.seamless
  /// When the camera is shown; outside of these hours its loop is, as when it is paused. `nil` for always.
  package var hours: Hours?
  /// When the loop is shown at random in place of live pictures; `nil` for never.
  package var veil: Veil.Settings?
  /// How long a still is kept back before it is published.
  package var delay = Ticks.zero
  /// Whether playlists and events say what is recorded.
  package var marksRecorded = false
  /// How much of what was shown is kept to make a loop of.
  package var remember = Ticks.seconds(600)

  /// How the loop of an off camera is spliced into its stream.
  package enum OffStyle: String, CaseIterable, Sendable {
    /// New names on a continuing timeline: the splice that every player plays.
    case seamless
    /// The same names in each round, with a discontinuity where it starts again: an off camera costs almost no bytes.
    case cached
  }
  /// Whether stills become the latest picture, with their event, as soon as they have come, and not with their slot. It
  /// has no effect with a delay, and must not be set with a veil: pictures of the loop come with the slots.
  package var showsAtOnce = false

  /// What people call the camera; `nil` for its name.
  package var title: String?
  /// The most that `latest.jpg` and photos measure where stills show more than the stream does; `nil` for the stream's
  /// own size always, which has to be where a veil may fall: recorded pictures have that.
  package var photoSize: PictureSize?
  /// Whether the stream is copied to the place that the process has for it, if it has one.
  package var isCopied = false

  /// Whether nothing in these settings rules a veil out.
  var canBeVeiled: Bool { photoSize == nil && !showsAtOnce }
  /// How many of the pictures that were shown last are kept as photos; 0 for none.
  package var keepPhotos = 0

  /// Stills with more pixels are decoded beside the camera's loop: they would take a large part of a slot's time.
  static let largeStill = 4_000_000
  /// So are those that take longer to decode than most of that size, in nanoseconds.
  static let costlyStill = 32_000_000

  /// Whether a camera that goes on with other settings needs a new loop: everything but what is asked anew with each
  /// still or request.
  func needsNewLoop(after before: CameraSettings) -> Bool {
    var same = before
    (same.title, same.interval, same.hours) = (title, interval, hours)
    (same.maxStillBytes, same.stillChoice, same.isCopied) = (maxStillBytes, stillChoice, isCopied)
    return same != self
  }

  /// Whether a still is decoded before its slot: as soon as it has come and its delay is over.
  func decodesEarly(_ header: JPEGHeader) -> Bool {
    (showsAtOnce && delay == .zero) || header.size.pixels > Self.largeStill
      || header.decodingNanoseconds > Self.costlyStill
  }

  /// The settings of a camera, with defaults that suit a quiet background picture.
  package init(name: CameraName, timeline: TimelineSettings = .standard) {
    self.name = name
    self.timeline = timeline
  }
}
