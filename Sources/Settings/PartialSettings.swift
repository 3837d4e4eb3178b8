import Access
import Media
import Packager
import Picture
import Station

/// Settings while they are collected, with their sources.
protocol PartialSettings: Sendable {
  /// Where each given key is, the last place if several layers gave it.
  var locations: [String: KeyLocation] { get set }
  /// The keys whose values were refused.
  var refused: Set<String> { get set }
}

/// The place and the path of a key, for error messages.
struct KeyLocation: Hashable, Sendable {
  let place: ConfigSource
  let path: String
}

/// One value of one key, ready to be set.
struct Change<Target: PartialSettings>: Sendable {
  let key: String
  let location: KeyLocation
  /// Sets the value; `nil` if it was refused.
  let set: (@Sendable (inout Target) -> Void)?

  func apply(to partial: inout Target) {
    partial.locations[key] = location
    guard let set else {
      partial.refused.insert(key)
      return
    }
    set(&partial)
  }
}

/// Where a secret comes from.
enum SecretSource: Hashable, Sendable {
  case text(String)
  case file(String)
}

/// The settings of the process.
struct PartialServeSettings: PartialSettings {
  var settings = ServeSettings()
  /// The camera that camera settings of the environment and the command line apply to.
  var camera: CameraName?
  // Halves of pairs that need each other.
  var publicCertificate: String?
  var publicKey: String?
  var privateCertificate: String?
  var privateKey: String?
  // Secrets that must still be read.
  var operatorToken: SecretSource?
  var linkKey: SecretSource?
  var locations: [String: KeyLocation] = [:]
  var refused: Set<String> = []
}

/// The settings of one camera.
struct PartialCameraSettings: PartialSettings {
  var token: SecretSource?
  var signing = SigningRule.off
  var access = ViewerAccess.open
  var maxRate = 100
  var picture = PictureSettings()
  var encoder = EncoderSettings()
  // The parts of a timeline, which are checked together; a test compares them with the defaults of TimelineSettings.
  var rate = 2
  var part = Ticks.seconds(2)
  var segment = Ticks.seconds(30)
  var window = 6
  var plainSegment = Ticks.seconds(1)
  var latestQuality = 75
  var maxStillBytes = 16 << 20
  var stillChoice = StillChoice.first
  var interval = Ticks.seconds(2)
  var presence = CameraPresence.Settings()
  var off = CameraSettings.OffStyle.seamless
  // The ranges of a veil; the first switches it on.
  var veilEvery: ClosedRange<Ticks>?
  var veilLength = Ticks.seconds(30)...Ticks.seconds(300)
  var delay = Ticks.zero
  var marksRecorded = false
  var remember = Ticks.seconds(600)
  var folder: String?
  var scansFolder = false
  var showsAtOnce: Bool?
  var title: String?
  /// As it was given; without it the rest of the settings decides.
  var photoSize: PhotoSize?
  var keepPhotos = 100
  var locations: [String: KeyLocation] = [:]
  var refused: Set<String> = []

  /// The keys that make the timeline.
  static let timelineKeys = ["rate", "part", "segment", "window", "plain-segment"]

  /// The random veil; `nil` for none.
  var veil: Veil.Settings? { veilEvery.map { Veil.Settings(every: $0, length: veilLength) } }

  /// The timeline, or the rule that its parts break.
  func timeline() throws(TimelineSettings.Problem) -> TimelineSettings {
    try TimelineSettings(
      rate: Int64(rate), part: part, segment: segment, listedSegments: window, plainSegment: plainSegment)
  }
}
