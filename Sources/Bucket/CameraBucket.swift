import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager
import Playlist
import Station

/// One camera's part of the bucket: takes what is published, and gives out what has to be done. Nothing here waits.
package final class CameraBucket: StreamCopy {
  private struct State {
    var plan = CopyPlan()
    /// Which photos were taken over: whose, and which version of their list.
    var photos: (owner: ObjectIdentifier, version: Int)?
    var lastWritten: WallTime?
    var trouble: String?
  }

  private let state = NIOLockedValueBox(State())
  private let signal: Signal
  private let now: @Sendable () -> Ticks

  init(signal: Signal, now: @escaping @Sendable () -> Ticks) {
    (self.signal, self.now) = (signal, now)
  }

  // MARK: What the camera publishes

  package func restore(
    _ segments: [MediaPlaylist.Segment], recorded: [MediaPlaylist.DateRange], media: [String: ByteBuffer],
    targetDuration: Int
  ) {
    let entries = segments.map { segment in
      CopyLine.Entry(listed: segment, range: recorded.first { $0.startDate == segment.programDateTime })
    }
    change { $0.plan.restore(entries, media: media, targetDuration: targetDuration) }
  }

  package func publish(_ playlist: MediaPlaylist, adding: [(name: String, bytes: ByteBuffer)], most: Int) {
    change { $0.plan.publish(playlist, adding: adding, most: most) }
  }

  package func show(_ jpeg: ByteBuffer) { change { $0.plan.show(jpeg) } }

  package func withdraw() {
    let time = now()
    change { state in
      state.plan.withdraw(at: time)
      state.photos = nil
    }
  }

  private func change(_ body: (inout State) -> Void) {
    state.withLockedValue(body)
    signal.fire()
  }

  // MARK: What the copier does

  /// Takes the photos that are kept now, if they are others than before.
  func take(_ photos: CameraPhotos) {
    let version = photos.version
    let isNew = state.withLockedValue { state in
      state.photos.map { $0.owner != ObjectIdentifier(photos) || $0.version != version } ?? true
    }
    guard isNew else { return }
    let kept = photos.all
    state.withLockedValue { state in
      state.photos = (ObjectIdentifier(photos), version)
      state.plan.keep(kept)
    }
  }

  /// Takes everything back for good.
  func close() {
    let time = now()
    state.withLockedValue { state in
      state.plan.close(at: time)
      state.photos = nil
    }
  }

  func next(at now: Ticks) -> CopyJob? { state.withLockedValue { $0.plan.next(at: now) } }

  func deadline(after now: Ticks) -> Ticks? { state.withLockedValue { $0.plan.deadline(after: now) } }

  func looked(_ found: [String], playlist: MediaPlaylist?, at now: Ticks) {
    state.withLockedValue { $0.plan.looked(found, playlist: playlist, at: now) }
  }

  func finish(_ job: CopyJob, _ outcome: CopyOutcome, at now: Ticks) {
    state.withLockedValue { $0.plan.finish(job, outcome, at: now) }
  }

  var isSettled: Bool { state.withLockedValue { $0.plan.isSettled } }

  /// Notes that an object was written, or another request succeeded.
  func succeeded(written: WallTime?) {
    state.withLockedValue { state in
      state.trouble = nil
      state.lastWritten = written ?? state.lastWritten
    }
  }

  /// Notes what the last request failed of.
  func failed(_ words: String) { state.withLockedValue { $0.trouble = words } }

  package var report: CopyReport {
    state.withLockedValue { state in
      let counters = state.plan.counters
      return CopyReport(
        waiting: state.plan.waiting, written: counters.written, writtenBytes: counters.writtenBytes,
        removed: counters.removed, failures: counters.failures, skipped: counters.skipped,
        lastWritten: state.lastWritten, trouble: state.trouble)
    }
  }
}

/// The parts of the bucket of all cameras that are copied, or were until a moment ago.
package final class CameraBuckets: Sendable {
  private let buckets = NIOLockedValueBox<[CameraName: CameraBucket]>([:])
  let signal = Signal()
  let now: @Sendable () -> Ticks

  /// None yet.
  package init(now: @escaping @Sendable () -> Ticks) { self.now = now }

  /// The part of a camera; it is made if there is none.
  package func copy(of camera: CameraName) -> CameraBucket {
    buckets.withLockedValue { buckets in
      if let known = buckets[camera] { return known }
      let bucket = CameraBucket(signal: signal, now: now)
      buckets[camera] = bucket
      return bucket
    }
  }

  var all: [(name: CameraName, bucket: CameraBucket)] {
    buckets.withLockedValue { $0.map { ($0.key, $0.value) } }.sorted { $0.0.text < $1.0.text }
  }

  func remove(_ camera: CameraName) { buckets.withLockedValue { $0[camera] = nil } }
}
