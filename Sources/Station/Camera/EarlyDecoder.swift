import Logging
import Media
import Packager
import Picture
import Synchronization

/// Decodes the stills that cannot wait for a slot, beside the camera's loop: those that take long, which would make the
/// slot late, and those of a camera that shows its stills at once.
///
/// The newest still is decoded first, and at most one in each step of the grid: more cannot be shown.
struct EarlyDecoder {
  private let camera: Camera
  private let logger: Logger

  /// The decoder of a camera's stills.
  init(camera: Camera, logger: Logger) {
    self.camera = camera
    self.logger = logger
  }

  /// Decodes until the task is cancelled.
  func run() async {
    while !Task.isCancelled {
      let begin = camera.clock.now()
      if decodeNext() {
        try? await camera.clock.sleep(begin + camera.settings.timeline.step)
      } else if let oldest = camera.inbox.oldestEarly {
        // It is kept back, and those that come after it are due later.
        try? await camera.clock.sleep(oldest + camera.settings.delay)
      } else {
        await camera.earlySignal.wait()
      }
    }
  }

  /// Decodes the waiting still; `false` if there is none whose delay is over.
  func decodeNext() -> Bool {
    guard let still = camera.takeEarly() else { return false }
    do {
      let settings = camera.settings.picture
      var photos = PhotoMaker(
        settings: settings, limit: camera.settings.photoSize, quality: camera.settings.latestQuality)
      let picture = try DecodedPicture.decode(still.jpeg, maxPixels: settings.maxPixels, for: &photos)
      camera.put(DecodedStill(still, picture: picture))
    } catch {
      camera.tellUndecodable(error, logger: logger)
    }
    return true
  }
}

/// A still that was decoded when it came.
final class DecodedStill: Sendable {
  let still: Still
  /// `NIOLockedValueBox` takes only what can be copied.
  private let picture: Mutex<DecodedPicture?>

  init(_ still: Still, picture: consuming sending DecodedPicture) {
    self.still = still
    self.picture = Mutex(picture)
  }

  /// Its picture, for the first caller.
  func takePicture() -> sending DecodedPicture? { picture.withLock { $0.take() } }
}
