import Media

/// Reads the numbers of rfc8216bis, section 4.2, without floating-point numbers.
enum Decimal {
  /// The largest integer accepted, so that a few of them can be added without a check. The specification allows 2^64 -
  /// 1.
  static let largestInteger = 1 << 61
  /// The longest time accepted, three years, so that a million of them can be added without a check.
  static let longestSeconds = 100_000_000

  /// A decimal-integer of up to 20 digits; `nil` for anything else and for more than `limit`.
  static func integer(_ text: some Collection<UInt8>, upTo limit: Int = largestInteger) -> Int? {
    guard (1...20).contains(text.count) else { return nil }
    var number = 0
    for byte in text {
      guard let digit = digit(byte) else { return nil }
      let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
      guard !overflow, tenfold <= limit - digit else { return nil }
      number = tenfold + digit
    }
    return number
  }

  /// A decimal-floating-point number of seconds, rounded half up to a whole tick; `nil` for anything else.
  static func seconds(_ text: some Collection<UInt8>) -> Ticks? {
    scaled(text, by: Ticks.perSecond).map(Ticks.init)
  }

  /// A decimal-floating-point number times `scale`, rounded half up; `nil` for anything else and for a number over
  /// `longestSeconds`. Decimals after the thirteenth are ignored.
  ///
  /// `scale` must be at most 90 000.
  static func scaled(_ text: some Collection<UInt8>, by scale: Int64) -> Int64? {
    let point = text.firstIndex(of: UInt8(ascii: ".")) ?? text.endIndex
    let whole = text[..<point]
    let decimals = text[point...].dropFirst()
    guard !(whole.isEmpty && decimals.isEmpty), let units = whole.isEmpty ? 0 : integer(whole, upTo: longestSeconds)
    else { return nil }
    var fraction: Int64 = 0
    var unit: Int64 = 1
    for byte in decimals {
      guard let digit = digit(byte) else { return nil }
      if unit < 10_000_000_000_000 {
        fraction = fraction * 10 + Int64(digit)
        unit *= 10
      }
    }
    return Int64(units) * scale + (fraction * scale + unit / 2) / unit
  }

  /// Whether the text is a hexadecimal-sequence: `0x` or `0X` and digits.
  static func isHexadecimal(_ text: some Collection<UInt8>) -> Bool {
    let digits = text.dropFirst(2)
    guard let first = text.first, first == UInt8(ascii: "0"), let second = text.dropFirst().first,
      second | 0x20 == UInt8(ascii: "x"), !digits.isEmpty
    else { return false }
    return digits.allSatisfy { digit($0) != nil || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0 | 0x20) }
  }

  /// Whether the text is a signed-decimal-floating-point number.
  static func isSignedDecimal(_ text: some Collection<UInt8>) -> Bool {
    var rest = text[...]
    if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
    var points = 0
    for byte in rest {
      if byte == UInt8(ascii: ".") { points += 1 } else if digit(byte) == nil { return false }
    }
    return points <= 1 && rest.count > points
  }

  private static func digit(_ byte: UInt8) -> Int? {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
  }
}
