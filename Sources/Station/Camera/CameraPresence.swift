import Media

/// Decides whether a camera is live, held or off.
///
/// The last picture is held for the hold time after the newest still; then the camera is off. It is live again when
/// stills have kept coming for the steady time, or with the third still. So a camera that comes and goes does not make
/// the stream switch each time, and a camera that is slower than its settings say is shown all the same.
package struct CameraPresence: Hashable, Sendable {
  /// The times.
  package struct Settings: Hashable, Sendable {
    /// How long the last picture is held; `nil` for ever.
    package var hold: Ticks?
    /// How long stills must keep coming before an off camera is live again; with zero, the first still is enough.
    package var steady: Ticks

    /// Settings with these times.
    package init(hold: Ticks? = .seconds(30), steady: Ticks = .seconds(4)) {
      self.hold = hold
      self.steady = steady
    }
  }

  /// Whether the camera is live, since the last decision.
  package private(set) var isOn = false
  private let settings: Settings
  private var newest: Ticks?
  /// The stills since the camera went off: when the first came, and how many.
  private var run: (began: Ticks, count: Int)?
  private var hasBeenOn: Bool

  /// A presence before the first still.
  ///
  /// - Parameter held: when something that counts as a still was shown, such as the picture that a camera begins with;
  ///   `nil` if the loop plays first.
  package init(settings: Settings, held: Ticks? = nil) {
    self.settings = settings
    newest = held
    hasBeenOn = held != nil
    isOn = held != nil
  }

  /// Notes that a still came.
  package mutating func stillArrived(at now: Ticks) {
    let isBroken = newest.map { isOver(since: $0, now: now) } ?? true
    let count = (run?.count ?? 0) + 1
    run = (isBroken ? now : run?.began ?? now, isOn ? 1 : count)
    newest = now
  }

  /// Notes that viewers were told of a still that came then: the last picture is held from then on.
  mutating func stillReported(at time: Ticks) { if isOn { newest = max(newest ?? time, time) } }

  /// Forgets all stills: the camera is off until the next one.
  package mutating func forget() {
    (newest, run, isOn) = (nil, nil, false)
    hasBeenOn = false
  }

  /// Decides for the segment that begins now.
  package mutating func decide(at now: Ticks) -> Bool {
    let isFresh = newest.map { !isOver(since: $0, now: now) } ?? false
    if isOn {
      isOn = isFresh
      if !isOn { run = nil }
    } else if isFresh, let run, let newest {
      // At the first still, the camera cannot have come and gone yet.
      isOn = !hasBeenOn || newest - run.began >= settings.steady || run.count >= 3
    }
    if isOn { hasBeenOn = true }
    return isOn
  }

  private func isOver(since still: Ticks, now: Ticks) -> Bool { settings.hold.map { now - still >= $0 } ?? false }

  /// Compares everything.
  package static func == (left: CameraPresence, right: CameraPresence) -> Bool {
    left.isOn == right.isOn && left.settings == right.settings && left.newest == right.newest
      && left.run?.began == right.run?.began && left.run?.count == right.run?.count
      && left.hasBeenOn == right.hasBeenOn
  }

  /// Hashes what changes.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(isOn)
    hasher.combine(newest)
  }
}
