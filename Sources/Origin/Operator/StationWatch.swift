import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import ServiceLifecycle
import Station

/// Looks at all cameras once a second and at the disk twice a minute, for the operator's page.
package final class StationWatch: Service, Sendable {
  private struct State {
    var cameras: [CameraName: CameraWatch] = [:]
    var disk: StoreDisk?
  }

  private static let every = Duration.seconds(1)
  private static let secondsOfDisk = 30

  private let cameras: @Sendable () -> [Camera]
  private let folder: String?
  private let state = NIOLockedValueBox(State())
  /// When the process began.
  let start = WallTime.now

  /// - Parameters:
  ///   - folder: the store; `nil` if it is in memory.
  ///   - cameras: those of this moment.
  package init(folder: String?, cameras: @escaping @Sendable () -> [Camera]) {
    self.folder = folder
    self.cameras = cameras
  }

  /// Runs until graceful shutdown or cancellation.
  package func run() async {
    await cancelWhenGracefulShutdown {
      var count = 0
      while !Task.isCancelled {
        self.look()
        if count % Self.secondsOfDisk == 0 { await self.lookAtDisk() }
        count += 1
        try? await Task.sleep(for: Self.every)
      }
    }
  }

  /// What is known of a camera; `nil` before the first look at it.
  func watch(of camera: CameraName) -> CameraWatch? { state.withLockedValue { $0.cameras[camera] } }

  /// The disk when it was last looked at; `nil` if the store is in memory.
  var disk: StoreDisk? { state.withLockedValue { $0.disk } }

  private func look() {
    let (now, time) = (Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000), WallTime.now)
    let looks = cameras().map { ($0.name, $0.counters, $0.times.encode.counted, $0.settings.presence.hold) }
    state.withLockedValue { state in
      var next: [CameraName: CameraWatch] = [:]
      for (name, counters, coding, hold) in looks {
        var watch = state.cameras[name] ?? CameraWatch()
        watch.look(counters, coding: coding, hold: hold, now: now, time: time)
        next[name] = watch
      }
      state.cameras = next
    }
  }

  private func lookAtDisk() async {
    guard let folder else { return }
    let names = cameras().map(\.settings.name)
    // The disk may be slow, and this is one of few threads.
    let disk = try? await NIOThreadPool.singleton.runIfActive { StoreDisk(folder: folder, cameras: names) }
    state.withLockedValue { $0.disk = disk ?? nil }
  }
}
