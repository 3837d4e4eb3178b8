/// A time of the day: by the clock or by the sun.
package enum DayTime: Hashable, Sendable {
  /// Seconds after midnight, in whole minutes; 86400 is the end of the day.
  case clock(Int64)
  /// So many seconds after what the sun does; before it where they are negative.
  case sun(SunEvent, offset: Int64)

  var isClock: Bool { if case .clock = self { true } else { false } }

  /// The seconds of the day between which it can be. What the sun does in the morning is taken to be between 3 and 12
  /// o'clock, what it does in the evening between 12 and 24, without the offset.
  fileprivate var range: ClosedRange<Int64> {
    switch self {
    case .clock(let second): second...second
    case .sun(let event, _): event.isMorning ? 10_800...43_200 : 43_200...86_400
    }
  }

  /// The order of two things that the sun does in the same half of the day, with civil twilight taken as half an hour.
  fileprivate func isBefore(_ other: DayTime) -> Bool? {
    guard case .sun(let event, let offset) = self, case .sun(let next, let later) = other,
      event.isMorning == next.isMorning
    else { return nil }
    func rough(_ event: SunEvent) -> Int64 { event == .dawn ? -1800 : event == .dusk ? 1800 : 0 }
    return rough(event) + offset < rough(next) + later
  }

  /// Whether a window from this time to another one ends on the next day.
  func passesMidnight(to end: DayTime) -> Bool {
    if let isBefore = isBefore(end) { return !isBefore }
    return end.range.upperBound <= range.lowerBound
  }
}

/// A time from one time of the day to another one, on some days of the week.
package struct HoursWindow: Hashable, Sendable {
  /// The days on which it begins: bit 0 is Monday.
  package let days: UInt8
  /// Its first moment.
  package let start: DayTime
  /// The first moment after it: of the same day, or of the next one if it cannot be later on the same day.
  package let end: DayTime

  /// A window on these days.
  package init(days: UInt8 = HoursWindow.everyDay, start: DayTime, end: DayTime) {
    self.days = days
    self.start = start
    self.end = end
  }

  /// All days of the week.
  package static let everyDay: UInt8 = 0x7F

  var passesMidnight: Bool { start.passesMidnight(to: end) }
}
