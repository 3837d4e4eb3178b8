import Media

/// Decides for each segment whether it shows the camera or the loop, and why.
package struct Director: Sendable {
  /// What a segment shows.
  package enum Source: String, Hashable, Sendable, CaseIterable {
    /// The camera, or its last picture.
    case live
    /// The loop, because no stills come.
    case off
    /// The loop, in place of live pictures and without notice to viewers.
    case veiled
    /// The loop, because the operator ordered it, or outside the camera's hours.
    case paused

    /// Whether the loop is shown.
    package var isRecorded: Bool { self != .live }

    /// Whether viewers are to believe that they see the camera.
    package var looksLive: Bool { self == .live || self == .veiled }
  }

  /// The operator's commands. `pause` and `resume` take effect with the next part, `veil` and `unveil` with the next
  /// segment.
  package enum Order: String, Hashable, Sendable, CaseIterable {
    /// Show the loop until further notice.
    case pause
    /// Show the camera again.
    case resume
    /// Start the veil.
    case veil
    /// End the veil.
    case unveil
  }

  /// What is shown, since the last decision.
  package private(set) var source: Source
  /// The operator's commands that are in force; they survive the process.
  package private(set) var standing: Standing
  /// Whether the camera is within its hours; outside of them the loop is shown as when it is paused.
  package var isWithinHours = true
  private var presence: CameraPresence
  private var veil: Veil
  private var generator = SystemRandomNumberGenerator()

  /// The commands that are in force.
  package struct Standing: Hashable, Sendable, Codable {
    /// Whether the camera is paused.
    package var isPaused = false
    /// Whether the veil was started by a command.
    package var isVeiled = false

    /// No commands.
    package init() {}
  }

  /// A director that has decided nothing yet.
  package init(
    presence: CameraPresence, veil: Veil.Settings?, standing: Standing = Standing(), isWithinHours: Bool = true
  ) {
    self.presence = presence
    self.veil = Veil(settings: veil)
    self.standing = standing
    self.isWithinHours = isWithinHours
    if standing.isVeiled { self.veil.veil() }
    source = standing.isPaused || !isWithinHours ? .paused : presence.isOn ? .live : .off
  }

  /// Whether the loop is shown whatever the camera does: by order, or outside its hours.
  private var isPaused: Bool { standing.isPaused || !isWithinHours }

  /// Whether the camera sends stills, whatever is shown.
  package func isOn(at now: Ticks) -> Bool {
    var presence = presence
    return presence.decide(at: now)
  }

  /// Whether one of the next segments may be veiled.
  package var mayVeil: Bool { veil.mayBegin }

  /// Whether a veil is ordered, or on since the last decision.
  var isVeilWanted: Bool { veil.isWanted }

  /// Notes that a still came.
  package mutating func stillArrived(at now: Ticks) { presence.stillArrived(at: now) }

  /// Notes that viewers were told of a still that came then, although the camera sent none.
  mutating func stillReported(at time: Ticks) { presence.stillReported(at: time) }

  /// Takes a command.
  package mutating func take(_ order: Order) {
    switch order {
    case .pause: standing.isPaused = true
    case .resume: standing.isPaused = false
    case .veil:
      standing.isVeiled = true
      veil.veil()
    case .unveil:
      standing.isVeiled = false
      veil.unveil()
    }
  }

  /// Shows the loop from now on until it is resumed: the director's part of a withdrawal. Earlier pictures no longer
  /// count.
  package mutating func withdraw() {
    standing.isPaused = true
    source = .paused
    presence.forget()
  }

  /// Whether a segment that began at `now` would look live. It tells nothing of the veil.
  package func looksLive(at now: Ticks) -> Bool {
    isOn(at: now) && !isPaused
  }

  /// Decides for the segment that begins at `now`.
  package mutating func decide(at now: Ticks) -> Source {
    let isOn = presence.decide(at: now)
    let isDown = veil.decide(at: now, using: &generator)
    // A camera that is off or paused needs no veil: the loop plays anyway.
    source = isPaused ? .paused : isDown && isOn ? .veiled : isOn ? .live : .off
    return source
  }
}
