import Media
import Records
import Station

extension CameraReading {
  /// What a camera's counters say now.
  package init(_ camera: Camera) {
    let counters = camera.counters
    let shown: Shown =
      switch counters.source {
      case .live: .live
      case .off: .off
      case .paused: .paused
      case .veiled: .veiled
      }
    self.init(
      camera: camera.settings.name.text, shown: shown, stills: counters.taken, stillBytes: counters.takenBytes,
      waves: counters.waves)
  }
}
