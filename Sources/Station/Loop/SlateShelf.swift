import Logging
import Media
import NIOConcurrencyHelpers
import Packager
import Picture

/// The slates of all cameras. Each is encoded once for all cameras whose settings give the same bytes: it takes a tenth
/// of a second, and the cameras of one process mostly have the same settings.
final class SlateShelf: Sendable {
  /// All settings that a slate's bytes depend on.
  struct Key: Hashable, Sendable {
    private let size: PictureSize
    private let encoder: EncoderSettings
    private let timeline: TimelineSettings
    private let latestQuality: Int

    init(_ settings: CameraSettings) {
      (size, encoder) = (settings.picture.size, settings.encoder)
      (timeline, latestQuality) = (settings.timeline, settings.latestQuality)
    }
  }

  private let made = NIOLockedValueBox<[Key: Loop]>([:])

  /// No slates yet.
  init() {}

  /// The slate for a camera with these settings. Blocks while it is encoded, if it is not there yet.
  ///
  /// - Throws: FFmpeg's error, with the setting in its message, if the encoder refuses the settings.
  func slate(for settings: CameraSettings, logger: Logger) throws(FFmpegError) -> Loop {
    let key = Key(settings)
    if let loop = made.withLockedValue({ $0[key] }) { return loop }
    let loop = try Loop.slate(settings, logger: logger)
    return made.withLockedValue { made in
      // Another camera may have been as fast; all then share one.
      if let other = made[key] { return other }
      made[key] = loop
      return loop
    }
  }

  /// Encodes the slates that cameras with these settings need, side by side.
  ///
  /// - Throws: `StationError` with the camera whose settings the encoder refuses.
  func prepare(_ cameras: [CameraSettings], on pool: EncodePool, logger: Logger) async throws {
    var missing: [Key: CameraSettings] = [:]
    for settings in cameras.reversed() { missing[Key(settings)] = settings }
    made.withLockedValue { made in for key in made.keys { missing[key] = nil } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for settings in missing.values {
        group.addTask(executorPreference: pool) {
          do throws(FFmpegError) { _ = try self.slate(for: settings, logger: logger) } catch {
            throw StationError(description: "camera \(settings.name) cannot start: \(error)")
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Forgets the slates that none of these cameras needs.
  func keep(for cameras: [CameraSettings]) {
    let keys = Set(cameras.map { Key($0) })
    made.withLockedValue { made in made = made.filter { keys.contains($0.key) } }
  }
}
