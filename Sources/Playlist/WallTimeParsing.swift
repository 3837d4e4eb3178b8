import Media

extension WallTime {
  /// Reads an ISO 8601 date and time such as `2026-11-21T09:30:00.250Z` or `2026-11-21T10:30:00+01:00`.
  ///
  /// The fraction has 0 to 9 digits and is rounded half up to a millisecond. The zone is `Z`, `+hh:mm`, `+hhmm` or
  /// `+hh`; without one the time is UTC, as rfc8216bis, section 4.4.4.6 requires. A leap second counts as the second
  /// after it. `nil` for any other form and for a date that does not exist.
  package init?(iso8601 text: some StringProtocol) {
    var reader = DigitReader(rest: Array(text.utf8)[...])
    guard let year = reader.number(4), reader.take("-"),
      let month = reader.number(2), (1...12).contains(month), reader.take("-"),
      let day = reader.number(2), (1...Self.days(inMonth: month, of: year)).contains(day), reader.take("T"),
      let hour = reader.number(2), hour < 24, reader.take(":"),
      let minute = reader.number(2), minute < 60, reader.take(":"),
      let second = reader.number(2), second <= 60
    else { return nil }
    let fraction = reader.take(".") ? reader.milliseconds() : 0
    guard let fraction, let offset = reader.zone(), reader.rest.isEmpty else { return nil }
    let minutes = (Self.days(from1970To: year, month, day) * 24 + hour) * 60 + minute - offset
    self.init(milliseconds: (minutes * 60 + second) * 1_000 + fraction)
  }

  private static func days(inMonth month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Counted in 400-year eras that begin on 1 March (Howard Hinnant's `days_from_civil`); years from 0 to 9999.
  private static func days(from1970To year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year + 399 : year + 400
    let shiftedMonth = month > 2 ? month - 3 : month + 9
    let (era, yearOfEra) = shiftedYear.quotientAndRemainder(dividingBy: 400)
    let dayOfYear = (153 * shiftedMonth + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    // The year was moved up by one era to keep the division's operands positive.
    return (era - 1) * 146_097 + dayOfEra - 719_468
  }
}

/// Takes numbers and signs from the start of a text.
private struct DigitReader {
  var rest: ArraySlice<UInt8>

  /// A number with exactly this many digits.
  mutating func number(_ digits: Int) -> Int64? {
    guard rest.count >= digits, let number = Decimal.integer(rest.prefix(digits)) else { return nil }
    rest.removeFirst(digits)
    return Int64(number)
  }

  mutating func take(_ sign: Unicode.Scalar) -> Bool {
    guard let first = rest.first, first == UInt8(ascii: sign) else { return false }
    rest.removeFirst()
    return true
  }

  /// 0 to 9 digits of a fraction, rounded half up to thousandths; 1000 is possible.
  mutating func milliseconds() -> Int64? {
    let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    guard digits.count <= 9 else { return nil }
    rest.removeFirst(digits.count)
    return Decimal.scaled([UInt8(ascii: "0"), UInt8(ascii: ".")] + digits, by: 1_000)
  }

  /// The zone in minutes east of Greenwich.
  mutating func zone() -> Int64? {
    if rest.isEmpty || take("Z") { return 0 }
    let sign: Int64 = take("-") ? -1 : 1
    guard sign == -1 || take("+"), let hours = number(2), hours < 24 else { return nil }
    if rest.isEmpty { return sign * hours * 60 }
    _ = take(":")
    guard let minutes = number(2), minutes < 60 else { return nil }
    return sign * (hours * 60 + minutes)
  }
}
