import Media

/// Decides when the loop is shown in place of live pictures while the camera is on, so that nobody can be sure what
/// happens now.
///
/// The times between veils and their lengths are drawn again each time, evenly from their ranges. The owner gives it a
/// generator that cannot be predicted.
package struct Veil: Sendable {
  /// The ranges that times are drawn from.
  package struct Settings: Hashable, Sendable {
    /// From the end of a veil to the start of the next.
    package var every: ClosedRange<Ticks>
    /// How long a veil lasts; it ends with the segment that it ends in.
    package var length: ClosedRange<Ticks>

    /// Settings with these ranges.
    package init(every: ClosedRange<Ticks>, length: ClosedRange<Ticks>) {
      self.every = every
      self.length = length
    }
  }

  /// Whether a veil is on, since the last decision.
  package private(set) var isDown = false
  private let settings: Settings?
  private var changes: Ticks?
  private var isByHand = false

  /// No veil yet. Without settings, a veil only starts by command.
  package init(settings: Settings?) { self.settings = settings }

  /// Whether a veil is ordered, or on since the last decision.
  package var isWanted: Bool { isDown || isByHand }

  /// Whether a veil may begin with one of the next segments.
  package var mayBegin: Bool { settings != nil || isByHand }

  /// Starts a veil with the next segment, until it is ended by a command.
  package mutating func veil() { isByHand = true }

  /// Ends it with the next segment; the next one starts at random, after a full time between veils.
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
