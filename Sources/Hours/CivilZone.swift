import Foundation

/// A time zone by its name in the tz database, such as `Europe/Berlin`, with its daylight saving time.
package struct CivilZone: Hashable, Sendable {
  /// The name.
  package let name: String
  private let zone: TimeZone

  /// The zone of a name; `nil` if there is none.
  package init?(_ name: String) {
    guard (1...64).contains(name.utf8.count), name == "UTC" || name.contains("/"),
      name.utf8.allSatisfy({
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || Array("/_+-".utf8).contains($0)
      }), let zone = TimeZone(identifier: name)
    else { return nil }
    self.name = name
    self.zone = zone
  }

  /// The names of all zones, for advice.
  package static var names: [String] { TimeZone.knownTimeZoneIdentifiers }

  /// How many seconds civil time is ahead of UTC.
  ///
  /// - Parameter moment: seconds since 1970.
  func offset(at moment: Int64) -> Int64 {
    Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(moment))))
  }

  /// The number of the civil day, counted from 1970-01-01.
  ///
  /// - Parameter moment: seconds since 1970.
  func day(at moment: Int64) -> Int64 { CivilDay.number(of: moment + offset(at: moment)) }

  /// When the clocks show this time of a day. A time that comes twice, because the clocks go back, counts the first
  /// time; for a time that does not come, because they go forward, the moment of the change counts.
  ///
  /// - Parameters:
  ///   - day: counted from 1970-01-01.
  ///   - second: of the day; 86400 is its end.
  /// - Returns: seconds since 1970.
  func moment(day: Int64, second: Int64) -> Int64 {
    let local = day * 86_400 + second
    let (before, after) = (offset(at: local - 86_400), offset(at: local + 86_400))
    let found = [local - before, local - after].filter { $0 + offset(at: $0) == local }
    return found.min() ?? change(from: local - 86_400, to: local + 86_400)
  }

  /// The first second between two moments with another offset than at the first.
  private func change(from start: Int64, to end: Int64) -> Int64 {
    let old = offset(at: start)
    var (same, other) = (start, end)
    while other - same > 1 {
      let middle = same + (other - same) / 2
      if offset(at: middle) == old { same = middle } else { other = middle }
    }
    return other
  }
}

/// Days of the calendar as numbers from 1970-01-01 on.
enum CivilDay {
  /// The day of a moment in civil seconds.
  static func number(of second: Int64) -> Int64 { (second >= 0 ? second : second - 86_399) / 86_400 }

  /// The day of the week: 0 is Monday.
  static func weekday(_ day: Int64) -> Int { Int(((day + 3) % 7 + 7) % 7) }
}
