import Media

/// The notices that wait for one receiver: in order, bounded, and sent one at a time.
///
/// A notice that fails is tried again, later and later, before any newer one. When there is no room, an older notice
/// whose topic has a newer one goes first, so that the newest state of everything stays; then the oldest. Pure: the
/// owner sends, and says what came of it.
package struct NoticeQueue: Sendable {
  /// A notice on its way.
  package struct Attempt: Hashable, Sendable {
    /// The same for each try of this message.
    package let id: String
    /// The same too.
    package let body: [UInt8]
    /// From 1.
    package let tries: Int
  }

  /// What came of a try.
  package enum Outcome: Hashable, Sendable {
    /// The receiver took it.
    case taken
    /// It did not; another try may go better. The receiver may have asked for a time.
    case failed(after: Ticks?)
    /// The receiver says that it never takes this one.
    case refused
  }

  /// What was counted since the process started.
  package struct Counters: Hashable, Sendable {
    /// Notices that the receiver took.
    package var taken: Int64 = 0
    /// Tries that failed.
    package var failures: Int64 = 0
    /// Notices that were not sent.
    package var dropped: Int64 = 0
  }

  private struct Waiting: Sendable {
    let number: Int64
    var notice: Notice
  }

  /// The first wait, which doubles with each failure.
  static let firstWait = Ticks.seconds(1)
  /// The longest wait.
  static let mostWait = Ticks.seconds(300)
  /// The longest time that a receiver can ask for.
  static let mostAsked = Ticks.seconds(3600)
  /// How often a notice is tried that the receiver refuses.
  static let mostRefusals = 5

  /// The counters.
  package private(set) var counters = Counters()
  private let most: Int
  private let name: String
  private var waiting: [Waiting] = []
  private var newestNumber: Int64 = 0
  /// Notices that were dropped since the receiver was told.
  private var untold = 0
  /// The first notice while it is tried, and the dropped ones that its body tells of.
  private var attempt: (attempt: Attempt, told: Int, refusals: Int)?
  private var isSending = false
  private var nextTry = Ticks.zero
  private var wait = NoticeQueue.firstWait

  /// An empty queue.
  ///
  /// - Parameters:
  ///   - most: how many notices wait.
  ///   - name: unlike that of any other queue, in this process or another: ids begin with it.
  package init(most: Int, name: String) {
    self.most = max(1, most)
    self.name = name
  }

  /// How many notices wait, with the one that is tried.
  package var count: Int { waiting.count }

  /// Whether the last try failed.
  package var isFailing: Bool { attempt.map { $0.attempt.tries > 1 || !isSending } ?? false }

  // MARK: What comes

  /// Adds a notice as the newest.
  package mutating func add(_ notice: Notice) {
    newestNumber += 1
    waiting.append(Waiting(number: newestNumber, notice: notice))
    // One that was tried already stays: it may have arrived.
    let first = attempt == nil ? 0 : 1
    guard waiting.count > max(most, first + 1) else { return }
    let keys = waiting.map(\.notice.key)
    let outdated = (first..<waiting.count - 1).first { index in keys[(index + 1)...].contains(keys[index]) }
    let dropped = waiting.remove(at: outdated ?? first)
    if outdated != nil,
      let newer = waiting.indices.first(where: { $0 >= first && waiting[$0].notice.key == dropped.notice.key })
    {
      waiting[newer].notice.absorb(dropped.notice)
    }
    untold += 1
    counters.dropped += 1
  }

  // MARK: What goes

  /// The notice to send now; `nil` if there is none, one is on its way, or the time for another try has not come.
  package mutating func next(at now: Ticks) -> Attempt? {
    guard !isSending, let first = waiting.first, now >= nextTry else { return nil }
    isSending = true
    let tries = (attempt?.attempt.tries ?? 0) + 1
    let told = attempt?.told ?? untold
    let body = attempt?.attempt.body ?? first.notice.body(number: first.number, dropped: told)
    let next = Attempt(id: "\(name)-\(first.number)", body: body, tries: tries)
    attempt = (next, told, attempt?.refusals ?? 0)
    return next
  }

  /// Notes what came of the notice that was sent.
  ///
  /// - Parameter random: a uniform random number, which shortens the wait by up to a half.
  /// - Returns: how long the wait is, if it is tried again.
  @discardableResult
  package mutating func finish(_ outcome: Outcome, at now: Ticks, random: UInt32) -> Ticks? {
    guard isSending, var tried = attempt else { return nil }
    isSending = false
    var asked: Ticks?
    switch outcome {
    case .taken:
      counters.taken += 1
      untold -= tried.told
      remove()
      return nil
    case .refused:
      tried.refusals += 1
      if tried.refusals >= Self.mostRefusals {
        counters.failures += 1
        counters.dropped += 1
        untold += 1
        remove()
        return nil
      }
    case .failed(let after): asked = after
    }
    counters.failures += 1
    attempt = tried
    let half = wait.count / 2
    let pause = max(Ticks(half + ((wait.count - half) * Int64(random)) >> 32), min(asked ?? .zero, Self.mostAsked))
    wait = min(wait * 2, Self.mostWait)
    nextTry = now + pause
    return pause
  }

  private mutating func remove() {
    waiting.removeFirst()
    attempt = nil
    wait = Self.firstWait
    nextTry = .zero
  }
}
