import Media

/// Decides when recorded pictures take the place of live ones while the camera is on, so that nobody can track what it
/// looks at.
///
/// Both the times between veils and their lengths are drawn anew each time, evenly from their ranges. Whoever owns it
/// gives it a generator that cannot be predicted.
package struct Veil: Sendable {
  /// The ranges that times are drawn from.
  package struct Settings: Hashable, Sendable {
    /// From the end of a veil to the beginning of the next.
    package var every: ClosedRange<Ticks>
    /// How long a veil lasts; it ends with the segment that it ends in.
    package var length: ClosedRange<Ticks>

    /// A veil with these ranges.
    package init(every: ClosedRange<Ticks>, length: ClosedRange<Ticks>) {
      self.every = every
      self.length = length
    }
  }

  /// Whether the veil is down, as of the last decision.
  package private(set) var isDown = false
  private let settings: Settings?
  private var changes: Ticks?
  private var isByHand = false

  /// A veil that is up. Without settings it falls only by hand.
  package init(settings: Settings?) { self.settings = settings }

  /// Lets it fall with the next segment, until it is lifted by hand.
  package mutating func veil() { isByHand = true }

  /// Lifts it with the next segment; the next one falls by chance, after a full time between veils.
  package mutating func unveil() {
    isByHand = false
    isDown = false
    changes = nil
  }

  /// Decides for the segment that begins now.
  package mutating func decide(at now: Ticks, using generator: inout some RandomNumberGenerator) -> Bool {
    if isByHand {
      isDown = true
      return true
    }
    guard let settings else {
      isDown = false
      return false
    }
    let change = changes ?? now + draw(settings.every, &generator)
    changes = change
    if now >= change {
      isDown.toggle()
      changes = now + draw(isDown ? settings.length : settings.every, &generator)
    }
    return isDown
  }

  private func draw(_ range: ClosedRange<Ticks>, _ generator: inout some RandomNumberGenerator) -> Ticks {
    Ticks(Int64.random(in: range.lowerBound.count...range.upperBound.count, using: &generator))
  }
}
