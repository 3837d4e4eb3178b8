import Glibc
import NIOConcurrencyHelpers

/// The time for the `Date` field of answers (RFC 9110, section 5.6.7), formatted once a second.
enum HTTPDate {
  private static let newest = NIOLockedValueBox<(second: time_t, text: String)>((-1, ""))

  /// The time now.
  static func now() -> String { text(at: time(nil)) }

  /// A second since 1970, kept for the next answer.
  static func text(at second: time_t) -> String {
    newest.withLockedValue { newest in
      if newest.second != second { newest = (second, write(second)) }
      return newest.text
    }
  }

  private static func write(_ second: time_t) -> String {
    let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    var (second, parts) = (second, tm())
    gmtime_r(&second, &parts)
    func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let day = "\(days[Int(parts.tm_wday)]), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) \(parts.tm_year + 1900)"
    return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) GMT"
  }
}
