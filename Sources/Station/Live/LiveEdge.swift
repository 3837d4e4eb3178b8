import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager

/// Where a camera's loop and its viewers meet: what is published now, and who waits for what comes next.
///
/// The loop publishes whole states; viewers take them or wait. One lock guards all of it, nothing is rendered under
/// it, and waiting tasks resume outside it.
package final class LiveEdge: Sendable {
  /// How a wait for a position ended.
  package enum Outcome: Sendable {
    /// The position is published.
    case published(PlaylistSnapshot)
    /// The deadline came first.
    case timedOut
    /// Too many wait already.
    case refused
    /// The stream ends, because the process does; nothing will be published any more.
    case ended
  }

  /// The most tasks that may wait at one camera.
  package static let maxWaiters = 20_000
  /// How many events are kept for those who come back with a Last-Event-ID.
  static let keptEvents = 256

  private struct State {
    var snapshot: PlaylistSnapshot?
    /// What is published already for those who follow with blocking reloads; further than the edition, or `nil`.
    var ahead: PlaylistSnapshot?
    var plain: EncodedText?
    var media: [String: ByteBuffer] = [:]
    var latest: LatestPicture?
    var events: [CameraEvent] = []
    var lastEventID: Int64 = 0
    var isEnded = false
    var viewers = WaitList<PartPosition, Outcome>()
    var listeners = WaitList<Int64, Bool>()
    var plainViewers = WaitList<Int64, Bool>()
  }

  private let state = NIOLockedValueBox(State())

  init() {}

  // MARK: What is published

  /// The newest state; `nil` only before the loop has begun.
  package var snapshot: PlaylistSnapshot? { state.withLockedValue { $0.snapshot } }

  /// The newest state that a blocking reload can get.
  package var furthest: PlaylistSnapshot? { state.withLockedValue { $0.ahead ?? $0.snapshot } }

  /// The playlist without parts; `nil` while nobody asks for it.
  package var plain: EncodedText? { state.withLockedValue { $0.plain } }

  /// Where the part stands that was announced under this name and is not there yet.
  package func hinted(named name: String) -> PartPosition? {
    state.withLockedValue { state in
      [state.snapshot, state.ahead].compactMap { $0 }.first { $0.hintedName == name }?.hinted
    }
  }

  /// The newest picture.
  package var latest: LatestPicture? { state.withLockedValue { $0.latest } }

  /// The init segment, segment or part of this name, while it has to be served.
  package func media(named name: String) -> ByteBuffer? { state.withLockedValue { $0.media[name] } }

  /// How many files of media are served.
  var mediaCount: Int { state.withLockedValue { $0.media.count } }

  /// Their bytes.
  var mediaBytes: Int { state.withLockedValue { $0.media.values.reduce(0) { $0 + $1.readableBytes } } }

  /// How many tasks wait for parts, and how many for events.
  package var waiters: (viewers: Int, listeners: Int) {
    state.withLockedValue { ($0.viewers.count, $0.listeners.count) }
  }

  // MARK: What the loop publishes

  /// Makes a new state public in one step: media first appears and disappears together with the playlist.
  ///
  /// - Parameter ahead: a state of some time later that is known already, for blocking reloads. It stays until an
  ///   edition has come as far.
  func publish(
    _ snapshot: PlaylistSnapshot, ahead: PlaylistSnapshot? = nil, adding: [(name: String, bytes: ByteBuffer)],
    removing: [String] = []
  ) {
    let (reached, furthest) = state.withLockedValue { state in
      for name in removing { state.media[name] = nil }
      for (name, bytes) in adding { state.media[name] = bytes }
      state.snapshot = snapshot
      if let ahead { state.ahead = ahead }
      if let far = state.ahead, far.position <= snapshot.position { state.ahead = nil }
      let furthest = state.ahead ?? snapshot
      return (state.viewers.take(reaching: furthest.position), furthest)
    }
    for viewer in reached { viewer.resume(returning: .published(furthest)) }
  }

  /// Publishes the playlist without parts; `nil` ends it.
  func publishPlain(
    _ playlist: EncodedText?, adding: [(name: String, bytes: ByteBuffer)] = [], removing: [String] = []
  ) {
    let reached = state.withLockedValue { state in
      for name in removing { state.media[name] = nil }
      for (name, bytes) in adding { state.media[name] = bytes }
      state.plain = playlist
      return playlist == nil ? [] : state.plainViewers.takeAll()
    }
    for viewer in reached { viewer.resume(returning: true) }
  }

  /// Forgets the events that are kept for those who come back.
  func forgetEvents() { state.withLockedValue { $0.events = [] } }

  /// Shows a new picture as the latest one.
  func show(_ picture: LatestPicture) { state.withLockedValue { $0.latest = picture } }

  /// Tells all listeners of an event.
  func announce(_ kind: CameraEvent.Kind, at time: WallTime, json: String) {
    let reached = state.withLockedValue { state in
      state.lastEventID = max(state.lastEventID + 1, time.milliseconds)
      state.events.append(CameraEvent(id: state.lastEventID, kind: kind, json: json))
      if state.events.count > Self.keptEvents { state.events.removeFirst() }
      return state.listeners.take(reaching: state.lastEventID)
    }
    for listener in reached { listener.resume(returning: true) }
  }

  /// Lets go of all whose time is up or whose client has gone.
  func expire(at now: ContinuousClock.Instant) {
    let (viewers, others) = state.withLockedValue { state in
      (
        state.viewers.takeExpired(at: now),
        state.listeners.takeExpired(at: now) + state.plainViewers.takeExpired(at: now)
      )
    }
    for viewer in viewers { viewer.resume(returning: .timedOut) }
    for other in others { other.resume(returning: true) }
  }

  /// Ends all waiting, now and later.
  func end() {
    let (viewers, others) = state.withLockedValue { state in
      state.isEnded = true
      return (state.viewers.takeAll(), state.listeners.takeAll() + state.plainViewers.takeAll())
    }
    for viewer in viewers { viewer.resume(returning: .ended) }
    for other in others { other.resume(returning: true) }
  }

  // MARK: What viewers wait for

  /// WaitLimit until the part at `position` is published. A cancelled task gets `.timedOut`.
  ///
  /// - Parameter isWanted: asked about twice a second; where it says no the wait ends and its place is free.
  package func wait(
    for position: PartPosition, deadline: ContinuousClock.Instant,
    isWanted: @escaping @Sendable () -> Bool = { true }
  ) async -> Outcome {
    let id = state.withLockedValue { $0.viewers.makeID() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Outcome, Never>) in
        let answer: Outcome? = state.withLockedValue { state in
          if let snapshot = state.ahead ?? state.snapshot, position <= snapshot.position { return .published(snapshot) }
          if state.isEnded { return .ended }
          if Task.isCancelled { return .timedOut }
          if state.viewers.count >= Self.maxWaiters { return .refused }
          state.viewers.insert(id, threshold: position, deadline: deadline, isWanted: isWanted, waiter: continuation)
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      state.withLockedValue { $0.viewers.take(id) }?.resume(returning: .timedOut)
    }
  }

  /// The id that the next event will be above: where a new listener begins.
  package var newestEventID: Int64 { state.withLockedValue { $0.lastEventID } }

  /// The events after `id` that are still kept, waiting for one until the deadline; empty when none came, `nil` when
  /// the stream has ended or too many listen.
  package func events(
    after id: Int64, deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool = { true }
  ) async -> [CameraEvent]? {
    let waiterID = state.withLockedValue { $0.listeners.makeID() }
    let isAdmitted = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        let answer: Bool? = state.withLockedValue { state in
          guard (state.events.last?.id ?? 0) <= id, !state.isEnded, !Task.isCancelled else { return true }
          guard state.listeners.count < Self.maxWaiters else { return false }
          state.listeners.insert(
            waiterID, threshold: id + 1, deadline: deadline, isWanted: isWanted, waiter: continuation)
          return nil
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      state.withLockedValue { $0.listeners.take(waiterID) }?.resume(returning: true)
    }
    return state.withLockedValue { state in
      if state.isEnded || !isAdmitted { return nil }
      return state.events.filter { $0.id > id }
    }
  }

  /// The playlist without parts, waiting for it to begin until the deadline; `nil` when it does not, or too many wait.
  package func plain(
    deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool = { true }
  ) async -> EncodedText? {
    let id = state.withLockedValue { $0.plainViewers.makeID() }
    _ = await withTaskCancellationHandler {
      await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
        let isAnswered = state.withLockedValue { state in
          guard state.plain == nil, !state.isEnded, !Task.isCancelled, state.plainViewers.count < Self.maxWaiters
          else { return true }
          state.plainViewers.insert(id, threshold: 0, deadline: deadline, isWanted: isWanted, waiter: continuation)
          return false
        }
        if isAnswered { continuation.resume(returning: true) }
      }
    } onCancel: {
      state.withLockedValue { $0.plainViewers.take(id) }?.resume(returning: true)
    }
    return plain
  }
}
