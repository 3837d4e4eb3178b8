import Media
import NIOConcurrencyHelpers

/// The memory that all bodies on their way in may take together: whoever sends slowly holds what has come so far.
package final class UploadMemory: Sendable {
  private struct State {
    var total = 0
    var peak = 0
    var refused: Int64 = 0
    var cameras: [CameraName: Int] = [:]
  }

  /// The most bytes.
  package let limit: Int
  /// The most bytes of one camera, so that none takes the others' place.
  private let share: Int
  private let state = NIOLockedValueBox(State())

  /// - Parameters:
  ///   - limit: the most bytes of all bodies together.
  ///   - cameras: how many share them; one camera alone may take all, one of several half.
  package init(limit: Int, cameras: Int) {
    self.limit = limit
    share = cameras > 1 ? limit / 2 : limit
  }

  /// The bytes held now and at most since the process began, and how often there was no room.
  package var counted: (held: Int, peak: Int, refused: Int64) {
    state.withLockedValue { ($0.total, $0.peak, $0.refused) }
  }

  /// An empty place for a body of a camera.
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

/// The place of one body in `UploadMemory`, which is free again when nobody holds the lease.
package final class UploadLease: Sendable {
  private let memory: UploadMemory
  private let camera: CameraName
  private let held = NIOLockedValueBox(0)

  fileprivate init(memory: UploadMemory, camera: CameraName) {
    self.memory = memory
    self.camera = camera
  }

  /// Changes the bytes that the body holds; where there is no room for more nothing has changed.
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
