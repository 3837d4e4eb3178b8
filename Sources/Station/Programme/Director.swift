import Media

/// Decides for each segment what it shows: the camera or its loop, and why.
package struct Director: Sendable {
  /// What a segment shows.
  package enum Source: String, Hashable, Sendable, CaseIterable {
    /// The camera, or its last picture.
    case live
    /// The loop, because no stills come.
    case off
    /// The loop, in place of the live pictures, without a sign.
    case veiled
    /// The loop, because the operator wants it so.
    case paused

    /// Whether recorded pictures are shown.
    package var isRecorded: Bool { self != .live }
  }

  /// What an operator can order. An order takes effect with the next segment.
  package enum Order: String, Hashable, Sendable, CaseIterable {
    /// Show the loop until further notice.
    case pause
    /// Show the camera again.
    case resume
    /// Let the veil fall.
    case veil
    /// Lift the veil.
    case unveil
  }

  /// What is shown, as of the last decision.
  package private(set) var source: Source
  /// The operator's standing orders, which outlive the process.
  package private(set) var standing: Standing
  private var presence: CameraPresence
  private var veil: Veil
  private var generator = SystemRandomNumberGenerator()

  /// What the operator has ordered until further notice.
  package struct Standing: Hashable, Sendable, Codable {
    /// Whether the camera is paused.
    package var isPaused = false
    /// Whether the veil was let fall by hand.
    package var isVeiled = false

    /// No orders.
    package init() {}
  }

  /// A director that has decided nothing yet.
  package init(presence: CameraPresence, veil: Veil.Settings?, standing: Standing = Standing()) {
    self.presence = presence
    self.veil = Veil(settings: veil)
    self.standing = standing
    if standing.isVeiled { self.veil.veil() }
    source = standing.isPaused ? .paused : presence.isOn ? .live : .off
  }

  /// Notes that a still came.
  package mutating func stillArrived(at now: Ticks) { presence.stillArrived(at: now) }

  /// Takes an order.
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

  /// Shows the loop from now on and until it is resumed: the part of a withdrawal that is the director's. The
  /// pictures before it count for nothing any more.
  package mutating func withdraw() {
    standing.isPaused = true
    source = .paused
    presence.forget()
  }

  /// Decides for the segment that begins at `now`.
  package mutating func decide(at now: Ticks) -> Source {
    let isOn = presence.decide(at: now)
    let isDown = veil.decide(at: now, using: &generator)
    // A camera that is off needs no veil, and one that is paused neither: where the loop plays anyhow, it plays so.
    source = standing.isPaused ? .paused : isDown && isOn ? .veiled : isOn ? .live : .off
    return source
  }
}
