import Hours
import Media

/// Says slot after slot whether a camera is within its hours. What holds is computed once for each change, ahead of it;
/// a slot only compares two moments.
package struct HoursWatch: Sendable {
  /// What holds now.
  package struct State: Hashable, Sendable {
    /// The hours, as they were written.
    package let text: String
    /// Whether the camera is shown, as far as its hours say.
    package let isShown: Bool
    /// When that changes; `nil` if it does not within a week, or if the time is not known.
    package let until: WallTime?
    /// Whether the machine's clock cannot be believed, so that the camera is not shown.
    package let isTimeUnknown: Bool
  }

  /// The hours; `nil` for always.
  private var hours: Hours?
  /// What holds from a moment on, up to its end.
  private var known: (from: WallTime, span: Hours.Span)?

  /// A watch over these hours.
  package init(_ hours: Hours?) { self.hours = hours }

  /// Takes other hours.
  package mutating func replace(with hours: Hours?) {
    self.hours = hours
    known = nil
  }

  /// What holds at a moment; `nil` without hours.
  ///
  /// - Parameter isTrusted: whether civil time can be believed; it is asked when something must be computed.
  package mutating func state(at wall: WallTime, isTrusted: (WallTime) -> Bool) -> State? {
    guard let hours else { return nil }
    if let known, known.from <= wall, wall < known.span.until { return state(known.span, of: hours) }
    guard isTrusted(wall) else {
      known = nil
      return State(text: hours.text, isShown: false, until: nil, isTimeUnknown: true)
    }
    let span = hours.span(at: wall)
    known = (wall, span)
    return state(span, of: hours)
  }

  private func state(_ span: Hours.Span, of hours: Hours) -> State {
    State(text: hours.text, isShown: span.isShown, until: span.changes ? span.until : nil, isTimeUnknown: false)
  }
}
