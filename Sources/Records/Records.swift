import Logging
import Media
import NIOConcurrencyHelpers
import NIOCore
import ServiceLifecycle

/// What is counted and remembered of visits, and of what the operator did.
///
/// Whoever counts or notes something never waits: it is in memory at once, and a thread of its own writes it to the
/// database some seconds later. Reading waits for that thread.
package final class Records: Service {
  /// The retention where nothing else is set: 13 months.
  package static let standardDays = 396
  /// How often counters are read, and how often what they say is written.
  private static let (tick, ticksPerWrite) = (Duration.seconds(2), 5)
  /// How long the end of the process waits for the disk.
  private static let patience = TimeAmount.seconds(2)

  /// The bytes that were sent.
  package let traffic = Traffic()
  /// Whether anything is kept. If not, nobody is counted, and only the bytes and what the operator did are known, until
  /// the process ends.
  package let countsVisitors: Bool

  private struct State: Sendable {
    var audience: Audience
    var tally = HourTally()
    var viewers: [String: Int] = [:]
    var earlier: [String: Int64] = [:]
    var earlierDay: Int64
    var last: ContinuousClock.Instant?
    var hasToldFull = false
  }

  private let state: NIOLockedValueBox<State>
  private let readings: @Sendable () -> [CameraReading]
  private let wall: @Sendable () -> WallTime
  private let zero = ContinuousClock.now
  private let writer: RecordsWriter
  private let logger: Logger

  /// Nothing is counted yet.
  ///
  /// - Parameters:
  ///   - folder: the store's folder; `nil` to remember nothing for longer than the process lives.
  ///   - keptDays: for how many days sums and actions are kept; 0 to count no visitors and keep no sums.
  ///   - readings: the cameras' counters now.
  ///   - wall: civil time.
  package init(
    folder: String?, keptDays: Int = standardDays, readings: @escaping @Sendable () -> [CameraReading],
    wall: @escaping @Sendable () -> WallTime, logger: Logger
  ) {
    let day = wall().day
    state = NIOLockedValueBox(State(audience: Audience(day: day), earlierDay: day))
    countsVisitors = keptDays > 0
    (self.readings, self.wall, self.logger) = (readings, wall, logger)
    writer = RecordsWriter(
      place: folder.map { .file("\($0)/\(RecordsDatabase.fileName)") } ?? .memory,
      keptDays: Int64(countsVisitors ? keptDays : Self.standardDays), logger: logger)
  }

  /// Reads the counters and has them written until graceful shutdown or cancellation.
  package func run() async throws {
    let today = wall().day
    // What an earlier process counted today; a disk that hangs keeps nothing from being counted.
    writer.begin(today: today) { [state] earlier in
      state.withLockedValue { if $0.earlierDay == today { $0.earlier = earlier } }
    }
    await cancelWhenGracefulShutdown { [self] in
      var count = 0
      while !Task.isCancelled {
        sample()
        count += 1
        if count % Self.ticksPerWrite == 0 { writer.flush(today: wall().day) }
        try? await Task.sleep(for: Self.tick, tolerance: .zero)
      }
    }
    sample()
    await writer.close(today: wall().day, patience: Self.patience)
  }

  // MARK: Counting

  /// Notes that an element had its picture visible.
  ///
  /// - Parameters:
  ///   - address: the IPv4 address, or the first 64 bits of an IPv6 address.
  ///   - seconds: since it last said so.
  ///   - isLast: whether it is not visible any longer.
  package func seen(address: String, userAgent: String, camera: CameraName, seconds: Int64, isLast: Bool) {
    guard let viewer = viewer(address, userAgent, camera) else { return }
    let (now, day) = (now, wall().day)
    state.withLockedValue { $0.audience.seen(viewer, seconds: seconds, isLast: isLast, now: now, day: day) }
  }

  /// Notes that a player asked for a playlist.
  ///
  /// - Parameter pause: the longest time until its next request, in seconds.
  package func asked(address: String, userAgent: String, camera: CameraName, pause: Int64) {
    guard let family = BrowserFamily(userAgent: userAgent) else { return }
    asked(address: address, family: family, camera: camera, pause: pause)
  }

  /// The same, for a browser whose family is known.
  package func asked(address: String, family: BrowserFamily, camera: CameraName, pause: Int64) {
    guard countsVisitors else { return }
    let viewer = Audience.Viewer(address: address, family: family, camera: camera.text)
    let (now, day) = (now, wall().day)
    state.withLockedValue { $0.audience.asked(viewer, pause: pause, now: now, day: day) }
  }

  private func viewer(_ address: String, _ userAgent: String, _ camera: CameraName) -> Audience.Viewer? {
    guard countsVisitors, let family = BrowserFamily(userAgent: userAgent) else { return nil }
    return Audience.Viewer(address: address, family: family, camera: camera.text)
  }

  /// Seconds of a clock that does not step back. It does not begin at 0, so that nothing lies before it.
  private var now: Int64 { (ContinuousClock.now - zero).components.seconds + 1_000_000 }

  // MARK: Noting and reading

  /// Notes what an operator did; it is written within some seconds, or when actions are read.
  package func note(_ action: OperatorAction) {
    var change = RecordsChange()
    change.actions = [action]
    writer.add(change)
  }

  /// Notes that an operator did something now.
  package func note(_ what: String, camera: CameraName?, way: OperatorAction.Way, outcome: String) {
    note(OperatorAction(time: wall(), camera: camera?.text, what: what, way: way, outcome: outcome))
  }

  /// The newest actions, the newest first.
  ///
  /// - Throws: the database's error, or `RecordsError` where it cannot be opened.
  package func actions(newest count: Int, camera: CameraName? = nil) async throws -> [OperatorAction] {
    try await writer.read(today: wall().day) { try $0.actions(newest: count, camera: camera?.text) }
  }

  /// The sums of the periods that begin within a time, by camera and in order of time, up to this moment.
  ///
  /// - Throws: the database's error, or `RecordsError` where it cannot be opened.
  package func sums(
    by length: PeriodSums.Length, camera: CameraName? = nil, from: WallTime, to: WallTime
  ) async throws -> [PeriodSums] {
    sample()
    return try await writer.read(today: wall().day) {
      try $0.sums(by: length, camera: camera?.text, from: from, to: to)
    }
  }

  /// What is known of a camera's viewers now.
  package struct Now: Hashable, Sendable {
    /// Who watches, as of the last two seconds.
    package var viewers = 0
    /// The visitors since midnight UTC.
    package var visitorsToday: Int64 = 0
    /// Seconds watched since the process started.
    package var watchedSeconds: Int64 = 0
    /// The bytes that were sent since then.
    package var sent = SentBytes()

    /// Nobody, and nothing.
    package init() {}
  }

  /// What is known of each camera's viewers now; what belongs to no camera has an empty name.
  package func current() -> [String: Now] {
    let day = wall().day
    var result: [String: Now] = [:]
    for (camera, sent) in traffic.sent { result[camera, default: Now()].sent = sent }
    let (viewers, today, watched, earlier) = state.withLockedValue { state in
      (
        state.viewers, state.audience.visitorsToday(day: day), state.audience.watched,
        state.earlierDay == day ? state.earlier : [:]
      )
    }
    for (camera, count) in viewers { result[camera, default: Now()].viewers = count }
    for (camera, count) in today { result[camera, default: Now()].visitorsToday = count }
    for (camera, count) in earlier { result[camera, default: Now()].visitorsToday += count }
    for (camera, count) in watched { result[camera, default: Now()].watchedSeconds = count }
    return result
  }

  /// What is known of one camera's viewers now.
  package func current(of camera: CameraName) -> Now { current()[camera.text] ?? Now() }

  // MARK: Sampling

  /// Reads all counters and puts what has grown into the queue of the writer.
  private func sample() {
    guard countsVisitors else { return }
    let (readings, sent, wall) = (readings(), traffic.sent, wall())
    let time = ContinuousClock.now
    let now = now
    let (change, isFull) = state.withLockedValue { state -> (RecordsChange, Bool) in
      let elapsed = state.last.map { (time - $0).components } ?? (0, 0)
      state.last = time
      state.viewers = state.audience.viewers(now: now, day: wall.day)
      let sums = state.tally.take(
        readings, sent: sent, watched: state.audience.watched, viewers: state.viewers,
        elapsed: elapsed.0 * 1000 + elapsed.1 / 1_000_000_000_000_000)
      var change = RecordsChange()
      for (camera, sums) in sums { change.hours[CameraHour(camera: camera, hour: wall.hour)] = sums }
      change.visitors = state.audience.takeVisitors()
      defer { state.hasToldFull = state.audience.isFull }
      return (change, state.audience.isFull && !state.hasToldFull)
    }
    if isFull {
      logger.warning("more visitors came today than are told apart; the number of this day is too small")
    }
    if !change.isEmpty { writer.add(change) }
  }
}
