import Media
import NIOConcurrencyHelpers
import NIOCore
import Packager

/// What viewers of one camera's stream can get: what is published now, and the tasks and requests that wait for the next
/// part.
///
/// Only `StreamPublisher` writes it, in whole states; viewers read them or wait. One lock guards all of it, nothing is
/// rendered under it, and who waits goes on outside it.
package final class LiveEdge: Sendable {
  /// How a wait for a part ended.
  package typealias Outcome = WaitOutcome<PlaylistSnapshot>

  /// The most tasks that can wait for parts of one camera.
  package static let maxWaiters = 20_000

  private struct State {
    var snapshot: PlaylistSnapshot?
    /// What is published ahead for players with blocking reloads; further than the snapshot, or `nil`.
    var ahead: PlaylistSnapshot?
    var plain: EncodedText?
    var media: [String: ByteBuffer] = [:]
    var latest: LatestPicture?
    var viewers = WaitList<PartPosition, PlaylistSnapshot>(most: LiveEdge.maxWaiters)
    var plainViewers = WaitList<Int, EncodedText>(most: LiveEdge.maxWaiters)
    /// Those who wait for parts on their event loops.
    var loopViewers = LoopWaits<PartPosition, PlaylistSnapshot>()
    var answers = KeptAnswers()

    var furthest: PlaylistSnapshot? { ahead ?? snapshot }

    mutating func exchange(adding: [(name: String, bytes: ByteBuffer)], removing: [String]) {
      for name in removing { media[name] = nil }
      for (name, bytes) in adding { media[name] = bytes }
    }
  }

  private let state = NIOLockedValueBox(State())
  /// For each request that waited for a part, how long after its publication the request went on.
  package let fanOut = Histogram(milliseconds: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000])

  init() {}

  // MARK: What is published

  /// The newest state; `nil` only before the camera's loop has begun.
  package var snapshot: PlaylistSnapshot? { state.withLockedValue { $0.snapshot } }

  /// The newest state that a blocking reload can get.
  package var furthest: PlaylistSnapshot? { state.withLockedValue { $0.furthest } }

  /// The playlist without parts; `nil` while nobody requests it.
  package var plain: EncodedText? { state.withLockedValue { $0.plain } }

  /// The position of the part that was hinted with this name and does not exist yet.
  package func hinted(named name: String) -> PartPosition? {
    state.withLockedValue { state in
      [state.snapshot, state.ahead].compactMap { $0 }.first { $0.hintedName == name }?.hinted
    }
  }

  /// The newest picture.
  package var latest: LatestPicture? { state.withLockedValue { $0.latest } }

  /// The init segment, segment or part with this name, while it must be served.
  package func media(named name: String) -> ByteBuffer? { state.withLockedValue { $0.media[name] } }

  /// How many files of media are served.
  var mediaCount: Int { state.withLockedValue { $0.media.count } }

  /// Their total size in bytes.
  var mediaBytes: Int { state.withLockedValue { $0.media.values.reduce(0) { $0 + $1.readableBytes } } }

  /// How many tasks wait for parts.
  package var waiters: Int { state.withLockedValue { $0.viewers.count + $0.loopViewers.count } }

  // MARK: What the publisher writes

  /// Publishes a new state in one step: media appears and disappears together with the playlist.
  ///
  /// - Parameters:
  ///   - ahead: a later state that is known already, for blocking reloads. It stays until a snapshot has come as far.
  ///   - isFirst: whether a publisher begins with it: nothing stays of what another one has published before.
  func publish(
    _ snapshot: PlaylistSnapshot, ahead: PlaylistSnapshot? = nil, adding: [(name: String, bytes: ByteBuffer)],
    removing: [String] = [], isFirst: Bool = false
  ) {
    let (reached, batches, furthest) = state.withLockedValue { state in
      state.answers.empty()
      if isFirst {
        state.media.removeAll()
        (state.ahead, state.plain) = (nil, nil)
      }
      state.exchange(adding: adding, removing: removing)
      state.snapshot = snapshot
      if let ahead { state.ahead = ahead }
      if let far = state.ahead, far.position <= snapshot.position { state.ahead = nil }
      let furthest = state.ahead ?? snapshot
      let position = furthest.position
      return (state.viewers.take(reaching: position), state.loopViewers.take(reaching: position), furthest)
    }
    for batch in batches { batch.wake(.published(furthest)) }
    for viewer in reached { viewer.resume(returning: .published(furthest)) }
  }

  /// Publishes the playlist without parts.
  func publishPlain(_ playlist: EncodedText, adding: [(name: String, bytes: ByteBuffer)], removing: [String]) {
    let reached = state.withLockedValue { state in
      state.answers.empty()
      state.exchange(adding: adding, removing: removing)
      state.plain = playlist
      return state.plainViewers.take(reaching: 0)
    }
    for viewer in reached { viewer.resume(returning: .published(playlist)) }
  }

  /// Removes the playlist without parts. Its media stays for players that have the playlist.
  func endPlain() {
    state.withLockedValue { state in
      state.answers.empty()
      state.plain = nil
    }
  }

  /// Shows a new picture as the latest one.
  func show(_ picture: LatestPicture) { state.withLockedValue { $0.latest = picture } }

  /// Ends all waits, now and later.
  func end() {
    let (viewers, plainViewers, batches) = state.withLockedValue {
      ($0.viewers.end(), $0.plainViewers.end(), $0.loopViewers.takeAll())
    }
    for batch in batches { batch.wake(.ended) }
    for viewer in viewers { viewer.resume(returning: .ended) }
    for viewer in plainViewers { viewer.resume(returning: .ended) }
  }

  // MARK: What viewers wait for

  /// Ends the waits whose time is over or whose client has gone.
  func expire(at now: ContinuousClock.Instant) {
    state.expire(\.viewers, at: now)
    state.expire(\.plainViewers, at: now)
    let batches = state.withLockedValue { $0.loopViewers.takeExpired(at: now) }
    for batch in batches { batch.wake(.timedOut) }
  }

  /// Waits until the part at `position` is published. A cancelled task gets `.timedOut`.
  ///
  /// - Parameter isWanted: called about twice a second; `false` ends the wait and frees its place.
  package func wait(
    for position: PartPosition, deadline: ContinuousClock.Instant,
    isWanted: @escaping @Sendable () -> Bool = { true }
  ) async -> Outcome {
    var hasWaited = false
    let outcome = await state.wait(
      in: \.viewers, for: position, deadline: deadline, isWanted: isWanted,
      published: { state in state.furthest.flatMap { position <= $0.position ? $0 : nil } },
      began: { _, _ in hasWaited = true })
    if hasWaited, case .published(let snapshot) = outcome { fanOut.add(ContinuousClock.now - snapshot.published) }
    return outcome
  }

  /// A request that waits on its event loop.
  package struct LoopWait: Sendable {
    fileprivate let id: UInt64
    fileprivate let position: PartPosition
    fileprivate let loop: any EventLoop
  }

  /// How a wait on an event loop begins.
  package enum Begun: Sendable {
    /// It has: `wake` will be called once, unless `leave` comes first.
    case waits(LoopWait)
    /// It has not, and `wake` will not be called.
    case over(Outcome)
  }

  /// Waits on an event loop until the part at `position` is published. All who wait on one event loop for the same part
  /// are woken by one call to it.
  ///
  /// - Parameter wake: called on the event loop.
  package func wait(
    for position: PartPosition, deadline: ContinuousClock.Instant, on loop: any EventLoop,
    wake: @escaping @Sendable (Outcome) -> Void
  ) -> Begun {
    state.withLockedValue { state in
      if let furthest = state.furthest, position <= furthest.position { return .over(.published(furthest)) }
      if state.viewers.isEnded { return .over(.ended) }
      if state.viewers.count + state.loopViewers.count >= Self.maxWaiters { return .over(.refused) }
      let id = state.loopViewers.add(for: position, deadline: deadline, on: loop, wake)
      return .waits(LoopWait(id: id, position: position, loop: loop))
    }
  }

  /// Ends a wait whose client has gone. `wake` may be on its way already.
  package func leave(_ wait: LoopWait) {
    state.withLockedValue { $0.loopViewers.remove(wait.id, for: wait.position, on: wait.loop) }
  }

  /// Notes that a request that waited for this state goes on.
  package func wentOn(with snapshot: PlaylistSnapshot) { fanOut.add(ContinuousClock.now - snapshot.published) }

  // MARK: Finished answers

  /// What was made for the same request of what is published now, and the version of that, which `keep` takes.
  package func answer(for key: ByteBuffer) -> (kept: (any AnyObject & Sendable)?, version: Int) {
    state.withLockedValue { ($0.answers[key], $0.answers.version) }
  }

  /// Keeps a finished answer until something else is published.
  ///
  /// - Parameters:
  ///   - bytes: how much memory it takes.
  ///   - version: what it was made from.
  package func keep(_ answer: any AnyObject & Sendable, bytes: Int, for key: ByteBuffer, version: Int) {
    state.withLockedValue { $0.answers.keep(answer, bytes: bytes, for: key, version: version) }
  }

  /// Whether nothing else was published after this state.
  package func isNewest(_ snapshot: PlaylistSnapshot) -> Bool {
    state.withLockedValue { $0.furthest?.published == snapshot.published }
  }

  /// The playlist without parts, waiting for it until the deadline; `nil` if it does not begin, or too many wait.
  package func plain(
    deadline: ContinuousClock.Instant, isWanted: @escaping @Sendable () -> Bool = { true }
  ) async -> EncodedText? {
    _ = await state.wait(in: \.plainViewers, for: 0, deadline: deadline, isWanted: isWanted) { $0.plain }
    return plain
  }
}
