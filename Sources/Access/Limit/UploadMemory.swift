import Media
import NIOConcurrencyHelpers
import NIOCore

/// The memory that all bodies being received can take together: a slow sender keeps what has arrived so far in memory.
package final class UploadMemory: Sendable {
  private struct State {
    var total = 0
    var peak = 0
    var refused: Int64 = 0
    var cameras: [CameraName: Int] = [:]
    /// The bodies whose sender has not proved who it is, the oldest first.
    var unproven: [Unproven] = []
    var nextBody = 0
  }

  private struct Unproven {
    let body: Int
    let address: String
    let began: Int64
    let end: @Sendable () -> Void
    var bytes = 0

    /// What it holds, times how long it has been coming. A body that is sent to its end has little of it; one that is
    /// kept open has ever more, however small it is.
    func weight(now: Int64) -> Int64 { Int64(bytes) * (now - began + 1) }
  }

  /// The most bytes.
  package let limit: Int
  /// The most bytes of one camera, so that no camera takes the memory of the others.
  private let share: Int
  /// The most bytes of all bodies whose sender has not proved who it is.
  private let unprovenShare: Int
  /// Milliseconds that never step back.
  private let clock: @Sendable () -> Int64
  private let state = NIOLockedValueBox(State())

  /// - Parameters:
  ///   - limit: the most bytes of all bodies together.
  ///   - cameras: how many share it. A single camera can take all of it, one of several can take half.
  ///   - clock: milliseconds of a clock that does not step back.
  package init(
    limit: Int, cameras: Int,
    clock: @escaping @Sendable () -> Int64 = { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }
  ) {
    self.clock = clock
    self.limit = limit
    share = cameras > 1 ? limit / 2 : limit
    unprovenShare = limit / 2
  }

  /// The bytes in use now and at most since the process started, and how often there was no room.
  package var counted: (held: Int, peak: Int, refused: Int64) {
    state.withLockedValue { ($0.total, $0.peak, $0.refused) }
  }

  /// An empty lease for a body of a camera.
  package func lease(for camera: CameraName) -> UploadLease { UploadLease(memory: self, owner: .camera(camera)) }

  /// An empty lease for a signed body: only its end shows whether the sender has the camera's token.
  ///
  /// These bodies share half of the memory. If it is full, the oldest body of the address that has held the most for the
  /// longest ends: so bodies that are never finished keep nobody out, also if many addresses hold a little each.
  ///
  /// - Parameter end: ends the body; called at most once, from any thread.
  package func lease(unprovenFrom address: String, end: @escaping @Sendable () -> Void) -> UploadLease {
    let body = state.withLockedValue { state in
      state.nextBody += 1
      state.unproven.append(Unproven(body: state.nextBody, address: address, began: clock(), end: end))
      return state.nextBody
    }
    return UploadLease(memory: self, owner: .unproven(body))
  }

  fileprivate func take(_ count: Int, of owner: UploadLease.Owner) -> Bool {
    switch owner {
    case .camera(let camera): return take(count, for: camera)
    case .unproven(let body):
      let (hasRoom, ended) = state.withLockedValue { take(count, ofUnproven: body, &$0) }
      for end in ended { end() }
      return hasRoom
    }
  }

  fileprivate func give(_ count: Int, of owner: UploadLease.Owner, isEnd: Bool) {
    switch owner {
    case .camera(let camera): give(count, of: camera)
    case .unproven(let body):
      state.withLockedValue { state in
        guard let index = state.unproven.firstIndex(where: { $0.body == body }) else { return }
        state.total -= count
        state.unproven[index].bytes -= count
        if isEnd { state.unproven.remove(at: index) }
      }
    }
  }

  private func take(_ count: Int, ofUnproven body: Int, _ state: inout State) -> (Bool, [@Sendable () -> Void]) {
    var ended: [@Sendable () -> Void] = []
    guard let own = state.unproven.first(where: { $0.body == body }) else { return (false, ended) }
    while true {
      let held = state.unproven.reduce(0) { $0 + $1.bytes }
      if held + count <= unprovenShare, state.total + count <= limit { break }
      let now = clock()
      var addresses: [String: Int64] = [own.address: Int64(count)]
      for other in state.unproven { addresses[other.address, default: 0] += other.weight(now: now) }
      let greatest = addresses.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key
      let oldest = state.unproven.firstIndex { $0.address == greatest && $0.body != body && $0.bytes > 0 }
      state.refused += 1
      guard let oldest else { return (false, ended) }
      let gone = state.unproven.remove(at: oldest)
      state.total -= gone.bytes
      ended.append(gone.end)
    }
    guard let index = state.unproven.firstIndex(where: { $0.body == body }) else { return (false, ended) }
    state.unproven[index].bytes += count
    state.total += count
    state.peak = max(state.peak, state.total)
    return (true, ended)
  }

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
  fileprivate enum Owner {
    case camera(CameraName)
    case unproven(Int)
  }

  private let memory: UploadMemory
  private let owner: Owner
  private let held = NIOLockedValueBox(0)

  fileprivate init(memory: UploadMemory, owner: Owner) {
    self.memory = memory
    self.owner = owner
  }

  /// Changes the size of the body in memory. If there is no room for more, nothing changes.
  package func hold(_ count: Int) -> Bool {
    held.withLockedValue { held in
      if count > held {
        guard memory.take(count - held, of: owner) else { return false }
      } else if count < held {
        memory.give(held - count, of: owner, isEnd: false)
      }
      held = count
      return true
    }
  }

  deinit { memory.give(held.withLockedValue { $0 }, of: owner, isEnd: true) }
}
