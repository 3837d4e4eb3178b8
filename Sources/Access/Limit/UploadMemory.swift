import Media
import NIOConcurrencyHelpers

/// The memory that all bodies being received can take together: a slow sender keeps what has arrived so far in memory.
package final class UploadMemory: Sendable {
  private struct State {
    var total = 0
    var peak = 0
    var refused: Int64 = 0
    var cameras: [CameraName: Int] = [:]
  }

  /// The most bytes.
  package let limit: Int
  /// The most bytes of one camera, so that no camera takes the memory of the others.
  private let share: Int
  private let state = NIOLockedValueBox(State())

  /// - Parameters:
  ///   - limit: the most bytes of all bodies together.
  ///   - cameras: how many share it. A single camera can take all of it, one of several can take half.
  package init(limit: Int, cameras: Int) {
    self.limit = limit
    share = cameras > 1 ? limit / 2 : limit
  }

  /// The bytes in use now and at most since the process started, and how often there was no room.
  package var counted: (held: Int, peak: Int, refused: Int64) {
    state.withLockedValue { ($0.total, $0.peak, $0.refused) }
  }

  /// An empty lease for a body of a camera.
  package func lease(for camera: CameraName) -> UploadLease { UploadLease(memory: self, camera: camera) }

  fileprivate func take(_ count: Int, for camera: CameraName) -> Bool {
    state.withLockedValue { state in
      let own = state.cameras[camera, default: 0] + count
      guard state.total + count <= limit, own <= share else {
        state.refused += 1
        return false
      }
      state.cameras[camera] = own
      state.total += count
      state.peak = max(state.peak, state.total)
      return true
    }
  }

  fileprivate func give(_ count: Int, of camera: CameraName) {
    state.withLockedValue { state in
      state.total -= count
      state.cameras[camera, default: 0] -= count
    }
  }
}

/// The memory of one body, returned to `UploadMemory` when the lease is released.
package final class UploadLease: Sendable {
  private let memory: UploadMemory
  private let camera: CameraName
  private let held = NIOLockedValueBox(0)

  fileprivate init(memory: UploadMemory, camera: CameraName) {
    self.memory = memory
    self.camera = camera
  }

  /// Changes the size of the body in memory. If there is no room for more, nothing changes.
  package func hold(_ count: Int) -> Bool {
    held.withLockedValue { held in
      if count > held {
        guard memory.take(count - held, for: camera) else { return false }
      } else if count < held {
        memory.give(held - count, of: camera)
      }
      held = count
      return true
    }
  }

  deinit { memory.give(held.withLockedValue { $0 }, of: camera) }
}
