/// A moment of civil time: milliseconds since 1970-01-01T00:00:00Z.
///
/// It is used for dates that people and players read. Nothing is scheduled by it, because wall clocks step.
package struct WallTime: Hashable, Comparable, Sendable {
  /// Milliseconds since the epoch.
  package var milliseconds: Int64

  /// A moment this many milliseconds after the epoch.
  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  /// The moment `ticks` later, to the millisecond.
  package func advanced(by ticks: Ticks) -> WallTime { WallTime(milliseconds: milliseconds + ticks.milliseconds) }

  /// Orders moments, earlier first.
  package static func < (left: WallTime, right: WallTime) -> Bool { left.milliseconds < right.milliseconds }

  /// The moment in UTC as ISO 8601 with milliseconds, `2026-11-21T09:30:00.250Z`, the form that RFC 8216 section
  /// 4.3.2.6 requires for EXT-X-PROGRAM-DATE-TIME.
  package var iso8601: String {
    var days = Ticks(milliseconds).floorDivided(by: Ticks(86_400_000))
    let inDay = milliseconds - days * 86_400_000
    // Days to civil date, counted in 400-year eras that begin on 1 March (Howard Hinnant's `civil_from_days`).
    days += 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let dayOfEra = days - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let (hour, minute) = (inDay / 3_600_000, inDay / 60_000 % 60)
    let (second, millisecond) = (inDay / 1_000 % 60, inDay % 1_000)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
      + "\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2)).\(padded(millisecond, 3))Z"
  }
}

extension WallTime: CustomStringConvertible {
  /// The ISO 8601 form.
  package var description: String { iso8601 }
}

private func padded(_ number: Int64, _ width: Int) -> String {
  let text = String(number)
  return String(repeating: "0", count: max(0, width - text.count)) + text
}

extension WallTime: Codable {
  /// Reads the milliseconds as a plain number.
  package init(from decoder: any Decoder) throws {
    milliseconds = try decoder.singleValueContainer().decode(Int64.self)
  }

  /// Writes the milliseconds as a plain number.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(milliseconds)
  }
}
