import Media

/// When a camera is shown: windows by the clock of a time zone, or by the sun at a place.
///
/// All rules are pure: they look at a moment and at nothing else.
package struct Hours: Hashable, Sendable {
  /// What holds at a moment, and how long.
  package struct Span: Hashable, Sendable {
    /// Whether the camera is shown.
    package let isShown: Bool
    /// The first moment at which to look again: the next change, or an earlier moment where none comes for a week.
    package let until: WallTime
    /// Whether what holds changes then.
    package let changes: Bool
  }

  /// When it is shown.
  package let windows: [HoursWindow]
  /// The zone of clock times and of days of the week.
  package let zone: CivilZone?
  /// Where the sun is looked at.
  package let place: Place?
  /// As it was written, with single spaces.
  package let text: String

  /// How many days ahead windows are looked at: each day of a week comes within it.
  private static let ahead: Int64 = 9
  /// Windows that are closer than this are one, and shorter ones are none: where the sun does not set, its days follow
  /// one another to the second, or not quite.
  private static let seam: Int64 = 60

  init(windows: [HoursWindow], zone: CivilZone?, place: Place?, text: String) {
    self.windows = windows
    self.zone = zone
    self.place = place
    self.text = text
  }

  /// What holds at a moment.
  package func span(at wall: WallTime) -> Span {
    let now = wall.milliseconds >= 0 ? wall.milliseconds / 1000 : (wall.milliseconds - 999) / 1000
    let today = day(at: now)
    let horizon = noon(of: today + Self.ahead - 1) - 43_200
    let times = shown(from: today - 2, to: today + Self.ahead)
    let current = times.first { $0.lowerBound <= now && now < $0.upperBound }
    let change = current?.upperBound ?? times.first { $0.lowerBound > now }?.lowerBound ?? horizon
    let until = min(change, horizon)
    return Span(
      isShown: current != nil, until: WallTime(milliseconds: until * 1000), changes: change < horizon)
  }

  /// The times at which the camera is shown, in order and apart from one another, of windows that begin on these days.
  private func shown(from first: Int64, to last: Int64) -> [Range<Int64>] {
    var times: [Range<Int64>] = []
    for day in first...last {
      for window in windows where window.days >> CivilDay.weekday(day) & 1 == 1 {
        let start = moment(of: window.start, day: day)
        let end = moment(of: window.end, day: window.passesMidnight ? day + 1 : day)
        if end - start >= Self.seam { times.append(start..<end) }
      }
    }
    times.sort { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }
    var merged: [Range<Int64>] = []
    for time in times {
      if let before = merged.last, time.lowerBound < before.upperBound + Self.seam {
        merged[merged.count - 1] = before.lowerBound..<max(before.upperBound, time.upperBound)
      } else {
        merged.append(time)
      }
    }
    return merged
  }

  private func moment(of time: DayTime, day: Int64) -> Int64 {
    switch time {
    case .clock(let second): zone?.moment(day: day, second: second) ?? day * 86_400 + second
    case .sun(let event, let offset):
      place.map { SunTimes(place: $0).moment(of: event, nearestTo: noon(of: day)) + offset } ?? day * 86_400
    }
  }

  /// Without a zone, days are those of the place's mean solar time.
  private func day(at moment: Int64) -> Int64 {
    zone?.day(at: moment) ?? CivilDay.number(of: moment + (place?.solarOffset ?? 0))
  }

  private func noon(of day: Int64) -> Int64 {
    zone?.moment(day: day, second: 43_200) ?? day * 86_400 + 43_200 - (place?.solarOffset ?? 0)
  }
}
