import Access
import Bucket
import Media
import Origin
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
  var notifySecret: SecretSource?
  var bucketKey: SecretSource?
  // The parts of the bucket.
  var bucket: BucketPlace?
  var bucketEndpoint: BucketEndpoint?
  var bucketRegion = "us-east-1"
  var bucketStyle: BucketSettings.Style?
  var locations: [String: KeyLocation] = [:]
  var refused: Set<String> = []
}

/// The settings of one camera.
struct PartialCameraSettings: PartialSettings {
  /// The stream's settings that need no other; name, timeline and what depends on others follow at the end.
  var stream = CameraSettings(name: .demo)
  /// What the listeners know of the camera; the token follows at the end.
  var door = DoorSettings(tokens: [])
  var token: SecretSource?
  var timeline = TimelineSettings.Lengths()
  // The ranges of a veil; the first switches it on.
  var veilEvery: ClosedRange<Ticks>?
  var veilLength = Ticks.seconds(30)...Ticks.seconds(300)
  // As they were given; without them the other settings decide.
  var showsAtOnce: Bool?
  var photoSize: PhotoSize?
  var bucketCopy = BucketCopy.open
  var locations: [String: KeyLocation] = [:]
  var refused: Set<String> = []

  init() { stream.keepPhotos = 100 }

  /// The keys that make the timeline.
  static let timelineKeys = ["rate", "part", "segment", "window", "plain-segment"]

  /// The random veil; `nil` for none.
  var veil: Veil.Settings? { veilEvery.map { Veil.Settings(every: $0, length: veilLength) } }
}
