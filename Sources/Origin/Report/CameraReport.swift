import Media
import Packager
import Picture
import Records
import Station

/// What the reports say about one camera, read at one moment.
struct CameraReport: Sendable {
  let name: CameraName
  let counters: Camera.Counters
  let viewersWaiting: Int
  let listenersWaiting: Int
  let newestSegment: Int?
  /// The photos that are kept, their bytes, and the steps on disk with them that failed.
  let photos: (photos: Int, bytes: Int, failures: Int)
  /// How its copy in a bucket is; `nil` if there is none.
  let copy: CopyReport?
  /// Whole milliseconds since the newest still; `nil` before the first.
  let stillAge: Int64?

  /// Who watches, and what was sent.
  let visits: Records.Now

  init(_ camera: Camera, visits: Records.Now?, now: WallTime) {
    self.visits = visits ?? Records.Now()
    name = camera.settings.name
    counters = camera.counters
    copy = camera.isCopied ? camera.copy?.report : nil
    photos = camera.photos.counted
    (viewersWaiting, listenersWaiting) = (camera.edge.waiters, camera.events.listeners)
    newestSegment = camera.edge.snapshot?.position.sequence
    stillAge = counters.lastStill.map { max(0, now.milliseconds - $0.milliseconds) }
  }
}
