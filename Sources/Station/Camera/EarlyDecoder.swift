import Ingest
import Logging
import Media
import Packager
import Picture
import Synchronization

/// Decodes the stills that cannot wait for a slot, beside the camera's loop: large ones, which would make the slot
/// late, and those of a camera that shows its stills at once.
///
/// The newest still wins, and no more than one is decoded in each step of the grid: more cannot be shown.
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
      } else {
        await camera.earlySignal.wait()
      }
    }
  }

  /// Decodes the still that waits; `false` where none does.
  func decodeNext() -> Bool {
    guard let still = camera.takeEarlyStill() else { return false }
    do {
      let settings = camera.settings.picture
      let header = try JPEGHeader(still.jpeg, maxPixels: settings.maxPixels)
      var maker = PhotoMaker(
        settings: settings, limit: camera.settings.photoSize, quality: camera.settings.latestQuality)
      let reduction = maker.reduction(of: header)
      let frame = try StillDecoder().decode(still.jpeg, header: header, reduction: reduction)
      let photo = try maker.photo(of: frame, header: header, reduction: reduction)
      camera.put(
        DecodedStill(still, frame: frame, orientation: header.orientation, reduction: reduction, photo: photo))
    } catch {
      camera.tellUndecodable(error, logger: logger)
    }
    return true
  }
}

/// A still that was decoded when it came.
final class DecodedStill: Sendable {
  let still: Still
  /// How its picture has to be turned.
  let orientation: Orientation
  /// What it was decoded with.
  let reduction: Int
  /// The same as a photo, where that shows more than the stream.
  let photo: Photo?
  private let frame: Mutex<Frame?>

  init(_ still: Still, frame: consuming sending Frame, orientation: Orientation, reduction: Int, photo: Photo? = nil) {
    self.still = still
    self.photo = photo
    self.orientation = orientation
    self.reduction = reduction
    self.frame = Mutex(frame)
  }

  /// Its picture, for the first who asks.
  func takeFrame() -> sending Frame? { frame.withLock { $0.take() } }
}
