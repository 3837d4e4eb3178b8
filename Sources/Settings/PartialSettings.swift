import Access
import Media
import Packager
import Picture
import Station

/// Settings that are being collected, with the places they come from.
protocol PartialSettings: Sendable {
  /// Where each key that was given stands, the last one where several gave it.
  var locations: [String: KeyLocation] { get set }
  /// The keys that were given in a form that no value could be made of.
  var refused: Set<String> { get set }
}

/// A place and the way of a key to it, for error messages.
struct KeyLocation: Hashable, Sendable {
  let place: ConfigSource
  let path: String
}

/// One value of one key, ready to be put into a draft.
struct Change<Target: PartialSettings>: Sendable {
  let key: String
  let location: KeyLocation
  /// Sets the value; `nil` where what was given was refused.
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

/// What the process as a whole is told.
struct PartialServeSettings: PartialSettings {
  var settings = ServeSettings()
  /// The camera that the settings of the environment and the command line are for.
  var camera: CameraName?
  // Halves of pairs that only make sense together.
  var publicCertificate: String?
  var publicKey: String?
  var privateCertificate: String?
  var privateKey: String?
  // Secrets that are still to be read.
  var operatorToken: SecretSource?
  var linkKey: SecretSource?
  var locations: [String: KeyLocation] = [:]
  var refused: Set<String> = []
}

/// What one camera is told.
struct PartialCameraSettings: PartialSettings {
  var token: SecretSource?
  var signing = SigningRule.off
  var access = ViewerAccess.open
  var maxRate = 100
  var picture = PictureSettings()
  var encoder = EncoderSettings()
  // The parts of a timeline, which only make sense together; a test holds them to the defaults of TimelineSettings.
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
  // The ranges of a veil, of which the first makes it fall at all.
  var veilEvery: ClosedRange<Ticks>?
  var veilLength = Ticks.seconds(30)...Ticks.seconds(300)
  var delay = Ticks.zero
  var marksRecorded = false
  var remember = Ticks.seconds(600)
  var folder: String?
  var scansFolder = false
  var showsAtOnce: Bool?
  var locations: [String: KeyLocation] = [:]
  var refused: Set<String> = []

  /// The keys that make the timeline.
  static let timelineKeys = ["rate", "part", "segment", "window", "plain-segment"]

  /// When the veil falls by chance; `nil` for never.
  var veil: Veil.Settings? { veilEvery.map { Veil.Settings(every: $0, length: veilLength) } }

  /// The timeline, or the rule that its parts break together.
  func timeline() throws(TimelineSettings.Problem) -> TimelineSettings {
    try TimelineSettings(
      rate: Int64(rate), part: part, segment: segment, listedSegments: window, plainSegment: plainSegment)
  }
}
