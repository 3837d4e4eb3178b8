/// A point on, or a length of, the media timeline: a whole number of 90 kHz ticks.
///
/// Every time and duration inside Quietcam has this type, so that sums of durations never drift. 90 kHz is a multiple
/// of every usual picture rate and is the clock of MPEG-2 systems, which HLS uses (RFC 8216, section 3.3).
package struct Ticks: Hashable, Comparable, Sendable, AdditiveArithmetic {
  /// The count of ticks; negative before the timeline's origin.
  package var count: Int64

  /// Ticks in one second.
  package static let perSecond: Int64 = 90_000

  /// The origin of the timeline, or an empty duration.
  package static let zero = Ticks(0)

  /// A count of ticks.
  package init(_ count: Int64) { self.count = count }

  /// Whole seconds.
  package static func seconds(_ seconds: Int64) -> Ticks { Ticks(seconds * perSecond) }

  /// Milliseconds; exact, since a millisecond is 90 ticks.
  package static func milliseconds(_ milliseconds: Int64) -> Ticks { Ticks(milliseconds * 90) }

  /// The complete ticks in `duration`; rounds toward negative infinity.
  package init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let fraction = (attoseconds / 1_000_000_000) * Ticks.perSecond
    let whole = fraction / 1_000_000_000
    let floor = fraction % 1_000_000_000 < 0 ? whole - 1 : whole
    self.init(seconds * Ticks.perSecond + floor)
  }

  /// Reads a decimal number of seconds such as `12`, `0.5` or `.04`. `nil` if the text is no such number, is negative,
  /// is more than a day, or is not a whole number of ticks.
  package init?(seconds text: some StringProtocol) {
    let pieces = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard pieces.count <= 2, pieces.contains(where: { !$0.isEmpty }), text.count <= 16,
      pieces.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } })
    else { return nil }
    let whole = pieces[0].isEmpty ? 0 : Int64(pieces[0])
    let decimals = pieces.count == 2 ? pieces[1] : ""
    guard let whole, whole <= 86_400, decimals.count <= 9, let fraction = Int64("0" + decimals) else { return nil }
    var scale: Int64 = 1
    for _ in 0..<decimals.count { scale *= 10 }
    guard (fraction * Ticks.perSecond) % scale == 0 else { return nil }
    self.init(whole * Ticks.perSecond + fraction * Ticks.perSecond / scale)
  }

  /// Reads a duration as people write it: `2`, `0.5`, `2s`, `500ms`, `10m` or `1h`. `nil` as above, and for more than a
  /// day.
  package init?(length text: some StringProtocol) {
    let day = Ticks.seconds(86_400)
    if text.hasSuffix("ms") {
      let digits = text.dropLast(2)
      guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(digits),
        number <= day.milliseconds
      else { return nil }
      self = .milliseconds(number)
      return
    }
    let units: [(name: String, seconds: Int64)] = [("s", 1), ("m", 60), ("h", 3600), ("", 1)]
    guard let unit = units.first(where: { text.hasSuffix($0.name) }),
      let number = Ticks(seconds: text.dropLast(unit.name.count)), number * unit.seconds <= day
    else { return nil }
    self = number * unit.seconds
  }

  /// The same length as a `Duration`; exact to the nanosecond, rounded down.
  package var duration: Duration {
    let seconds = count / Ticks.perSecond
    let rest = count % Ticks.perSecond
    return .seconds(seconds) + .nanoseconds(rest * 1_000_000_000 / Ticks.perSecond)
  }

  /// Whole milliseconds, rounded down.
  package var milliseconds: Int64 { floorDivided(by: Ticks(90)) }

  /// How many whole `step`s fit below this time; rounds toward negative infinity. `step` must be positive.
  package func floorDivided(by step: Ticks) -> Int64 {
    let quotient = count / step.count
    return count % step.count < 0 ? quotient - 1 : quotient
  }

  /// Whether this is a whole number of `step`s.
  package func isMultiple(of step: Ticks) -> Bool { step.count != 0 && count % step.count == 0 }

  /// Seconds in the shortest decimal form, at most five decimals, rounded half up: `12`, `0.5`, `0.03333`.
  package var secondsText: String {
    let sign = count < 0 ? "-" : ""
    let rounded = (abs(count) * 100_000 + Ticks.perSecond / 2) / Ticks.perSecond
    let whole = rounded / 100_000
    var fraction = rounded % 100_000
    guard fraction != 0 else { return "\(sign)\(whole)" }
    var digits = 5
    while fraction % 10 == 0 {
      fraction /= 10
      digits -= 1
    }
    let text = String(fraction)
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - text.count) + text
  }

  /// The sum of two times.
  package static func + (left: Ticks, right: Ticks) -> Ticks { Ticks(left.count + right.count) }

  /// The difference of two times.
  package static func - (left: Ticks, right: Ticks) -> Ticks { Ticks(left.count - right.count) }

  /// A whole multiple of a duration.
  package static func * (left: Ticks, right: Int64) -> Ticks { Ticks(left.count * right) }

  /// Orders times, earlier first.
  package static func < (left: Ticks, right: Ticks) -> Bool { left.count < right.count }
}

extension Ticks: CustomStringConvertible {
  /// Seconds with their unit, for logs and error messages.
  package var description: String { "\(secondsText) s" }
}
