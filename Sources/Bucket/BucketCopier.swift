import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import Playlist
import ServiceLifecycle
import Station

/// Copies the cameras to a bucket: the only one that sends requests there. A bucket that is slow or away delays nothing
/// but the copies.
package final class BucketCopier: Service {
  /// How many requests are on their way at once, of all cameras.
  static let mostAtOnce = 32
  /// How long after the end of the cameras what they published last is still copied.
  private static let patienceAtEnd = Ticks.milliseconds(1500)

  private struct State {
    var gate = RetryGate()
    var underWay = 0
    /// Where the next turn begins, so that no camera waits for the others.
    var turn = 0
    var failingSince: Ticks?
    /// What was logged of the failures that go on.
    var told: String?
  }

  private let settings: BucketSettings
  private let buckets: CameraBuckets
  private let cameras: @Sendable () -> [Camera]
  private let wall: @Sendable () -> WallTime
  private let logger: Logger
  private let state = NIOLockedValueBox(State())

  /// A copier that has sent nothing.
  ///
  /// - Parameter cameras: the cameras now.
  package init(
    _ settings: BucketSettings, buckets: CameraBuckets, cameras: @escaping @Sendable () -> [Camera],
    wall: @escaping @Sendable () -> WallTime, logger: Logger
  ) {
    self.settings = settings
    self.buckets = buckets
    self.cameras = cameras
    self.wall = wall
    self.logger = logger
  }

  /// Copies until graceful shutdown or cancellation; then what is left is copied as far as it goes in a moment. The next
  /// process copies the rest, as far as the store has it.
  package func run() async throws {
    logger.notice("cameras are copied to \(settings.place)", metadata: ["address": "\(settings.address)"])
    let client = BucketClient(settings, wall: wall)
    let ending = NIOLockedValueBox<Ticks?>(nil)
    await withGracefulShutdownHandler {
      await withDiscardingTaskGroup { group in
        while !Task.isCancelled {
          let now = buckets.now()
          let end = ending.withLockedValue { $0 }
          if let end, now >= end || (isSettled && now >= end - Self.patienceAtEnd + .milliseconds(200)) { break }
          lookAtCameras(isEnding: end != nil)
          begin(in: &group, with: client, at: now)
          await wait(from: now, isEnding: end != nil)
        }
        group.cancelAll()
      }
    } onGracefulShutdown: {
      ending.withLockedValue { $0 = self.buckets.now() + Self.patienceAtEnd }
      self.buckets.signal.fire()
    }
    await client.close()
  }

  private var isSettled: Bool { buckets.all.allSatisfy(\.bucket.isSettled) }

  /// Takes the photos of the cameras that are copied, and everything back of those that are not.
  private func lookAtCameras(isEnding: Bool) {
    let cameras = cameras()
    for camera in cameras {
      let bucket = buckets.copy(of: camera.name)
      if camera.settings.isCopied { bucket.take(camera.photos) } else { bucket.close() }
    }
    let names = Set(cameras.map(\.name))
    for (name, bucket) in buckets.all where !names.contains(name) && !isEnding {
      bucket.close()
      if bucket.isSettled { buckets.remove(name) }
    }
  }

  /// Begins as many requests as can be on their way.
  private func begin(in group: inout DiscardingTaskGroup, with client: BucketClient, at now: Ticks) {
    let all = buckets.all
    guard !all.isEmpty else { return }
    let start = state.withLockedValue { state in
      state.turn = (state.turn + 1) % all.count
      return state.turn
    }
    for (name, bucket) in all[start...] + all[..<start] {
      while mayBegin(at: now), let job = bucket.next(at: now) {
        state.withLockedValue { $0.underWay += 1 }
        group.addTask { await self.carryOut(job, of: name, bucket, with: client) }
      }
    }
  }

  private func mayBegin(at now: Ticks) -> Bool {
    state.withLockedValue { $0.gate.isOpen(at: now, underWay: $0.underWay, most: Self.mostAtOnce) }
  }

  /// Waits for a change, for something to be due, or for the next try.
  private func wait(from now: Ticks, isEnding: Bool) async {
    let dues = buckets.all.compactMap { $0.bucket.deadline(after: now) }
    let retry = state.withLockedValue { $0.gate.failures > 0 ? $0.gate.nextTry : nil }
    let due = min((dues + [retry].compactMap { $0 }).filter { $0 > now }.min() ?? now + .seconds(1), now + .seconds(1))
    let time = isEnding ? Duration.milliseconds(50) : max(.milliseconds(5), (due - now).duration)
    let signal = buckets.signal
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await Task.sleep(for: time) }
      group.addTask { await signal.wait() }
      await group.next()
      group.cancelAll()
    }
  }

  // MARK: One request

  private func carryOut(
    _ job: CopyJob, of name: CameraName, _ bucket: CameraBucket, with client: BucketClient
  ) async {
    defer { buckets.signal.fire() }
    do throws(BucketFault) {
      let outcome = try await perform(job, of: name, bucket, with: client)
      bucket.finish(job, outcome, at: buckets.now())
      // A photo that cannot be read says nothing about the bucket.
      guard case .done = outcome else { return state.withLockedValue { $0.underWay -= 1 } }
      succeeded(job, of: bucket)
    } catch {
      // One that was ended together with the process is no failure.
      let isOver = Task.isCancelled
      bucket.finish(job, .failed, at: buckets.now())
      if isOver { return state.withLockedValue { $0.underWay -= 1 } }
      bucket.failed(error.description)
      failed(error, job, of: name)
    }
  }

  private func perform(
    _ job: CopyJob, of name: CameraName, _ bucket: CameraBucket, with client: BucketClient
  ) async throws(BucketFault) -> CopyOutcome {
    let key = settings.place.key(camera: name.text, file: job.name)
    switch job.work {
    case .look: return try await look(at: name, bucket, with: client)
    case .put(let bytes): try await client.put(key, bytes, type: job.type, caching: job.caching)
    case .delete: try await client.delete(key)
    case .putPhoto(let photo):
      guard let camera = cameras().first(where: { $0.name == name }) else { return .gone }
      switch await camera.photos.photo(named: photo, deadline: .now + .seconds(5), isWanted: { true }) {
      case .found(let jpeg): try await client.put(key, jpeg, type: job.type, caching: job.caching)
      case .unknown: return .gone
      case .busy:
        try? await Task.sleep(for: .seconds(1))
        return .failed
      }
    }
    return .done
  }

  /// Finds out what an earlier process has left.
  private func look(
    at name: CameraName, _ bucket: CameraBucket, with client: BucketClient
  ) async throws(BucketFault) -> CopyOutcome {
    let folder = settings.place.folder(camera: name.text)
    var found: [String] = []
    do {
      found = try await client.list(prefix: folder).map { String($0.key.dropFirst(folder.count)) }
    } catch {
      guard error.kind == .refused, error.code == "AccessDenied" else { throw error }
      logger.warning(
        """
        the bucket cannot be listed, so what an earlier process has left there stays; allow the key s3:ListBucket: \
        \(error)
        """, metadata: ["camera": "\(name)"])
    }
    let text: ByteBuffer?
    do {
      text = try await client.get(folder + CopyPlan.playlistName)
    } catch {
      // Without the right to list, the answer to what is not there is the same.
      guard error.kind == .refused, error.code == "AccessDenied" else { throw error }
      text = nil
    }
    bucket.looked(found, playlist: text.flatMap { try? MediaPlaylist.parse($0) }, at: buckets.now())
    return .done
  }

  // MARK: What became of it

  private func succeeded(_ job: CopyJob, of bucket: CameraBucket) {
    let now = buckets.now()
    let since = state.withLockedValue { state in
      state.underWay -= 1
      state.gate.succeeded()
      defer { (state.failingSince, state.told) = (nil, nil) }
      return state.failingSince
    }
    switch job.work {
    case .put, .putPhoto: bucket.succeeded(written: wall())
    case .look, .delete: bucket.succeeded(written: nil)
    }
    guard let since else { return }
    let waiting = buckets.all.reduce(0) { $0 + $1.bucket.report.waiting }
    logger.notice(
      "the bucket takes objects again",
      metadata: ["after": "\((now - since).milliseconds / 1000) s", "waiting": "\(waiting)"])
  }

  /// The first failure of a series is worth a line, and each other reason.
  private func failed(_ fault: BucketFault, _ job: CopyJob, of name: CameraName) {
    let now = buckets.now()
    let kind = fault.code.isEmpty ? fault.description : fault.code
    let isNew = state.withLockedValue { state in
      state.underWay -= 1
      state.gate.failed(at: now, random: .random(in: 0...UInt32.max))
      state.failingSince = state.failingSince ?? now
      defer { state.told = kind }
      return state.told != kind
    }
    logger.log(
      level: isNew ? .error : .debug,
      "cannot copy to the bucket: \(fault.description). What is owed is tried again; the server itself goes on.",
      metadata: [
        "bucket": "\(settings.place)", "camera": "\(name)", "object": job.name.isEmpty ? "list" : "\(job.name)",
      ])
  }
}
