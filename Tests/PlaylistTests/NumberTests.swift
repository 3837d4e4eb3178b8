import Media
import NIOCore
import TestSupport
import Testing

@testable import Playlist

@Suite("Numbers and dates")
struct NumberTests {
  @Test(
    "seconds are rounded to the nearest tick without a floating-point number",
    arguments: [
      ("0", 0), ("12", 1_080_000), ("12.", 1_080_000), (".5", 45_000), ("5.005000", 450_450), ("6.666667", 600_000),
      ("0.33333", 30_000), ("0.33334", 30_001), ("0.000005", 0), ("0.0000055", 0), ("0.0000056", 1), ("0.00005", 5),
      ("0.99999999999999999999", 90_000), ("100000000", 9_000_000_000_000), ("00000000000000000007", 630_000),
    ])
  func seconds(text: String, ticks: Int64) {
    #expect(Decimal.seconds(text.utf8) == Ticks(ticks))
  }

  @Test(
    "what is not a decimal number of seconds, or too large a one, is refused",
    arguments: [
      "", ".", "-1", "+1", "1.2.3", "1,5", "1e3", " 1", "1 ", "0x1", "nan", "100000001", "9999999999999999999",
    ])
  func notSeconds(text: String) {
    #expect(Decimal.seconds(text.utf8) == nil)
  }

  @Test("whole numbers reach up to 2^61 and never overflow")
  func integers() {
    #expect(Decimal.integer("2305843009213693952".utf8) == 1 << 61)
    #expect(Decimal.integer("0".utf8) == 0)
    let refused = [
      "2305843009213693953", "9223372036854775807", "18446744073709551615", "99999999999999999999",
      "000000000000000000000", "", "-1", "1.0", "٣",
    ]
    for text in refused { #expect(Decimal.integer(text.utf8) == nil, "\(text)") }
  }

  @Test(
    "hexadecimal and signed numbers are told from other text",
    arguments: [
      ("0x0AF", true, false), ("0Xff", true, false), ("0x", false, false), ("0xg", false, false), ("x1", false, false),
      ("-1.5", false, true), ("7", false, true), ("-", false, false), ("1.", false, true), ("1..2", false, false),
      (".", false, false), ("", false, false), ("YES", false, false),
    ])
  func typed(text: String, isHexadecimal: Bool, isDecimal: Bool) {
    #expect(Decimal.isHexadecimal(text.utf8) == isHexadecimal)
    #expect(Decimal.isSignedDecimal(text.utf8) == isDecimal)
  }

  @Test("the writer's seconds and dates are those of Ticks and WallTime")
  func writer() {
    var generator = SeededGenerator(seed: 7)
    var times = [Ticks.zero, Ticks(1), Ticks(-1), Ticks(30_000), Ticks(89_999), .seconds(100_000_000)]
    times += generator.several(2_000...2_000) { $0.ticks() }
    for time in times {
      var writer = PlaylistWriter(capacity: 32)
      writer.seconds(time)
      #expect(String(buffer: writer.buffer) == time.secondsText)
    }
    for date in generator.several(2_000...2_000, { $0.date() }) {
      var writer = PlaylistWriter(capacity: 64)
      writer.date(date)
      writer.date(date.advanced(by: .seconds(1)))
      #expect(String(buffer: writer.buffer) == date.iso8601 + date.advanced(by: .seconds(1)).iso8601)
      #expect(WallTime(iso8601: date.iso8601) == date)
    }
  }

  @Test(
    "dates are read in every form that players meet",
    arguments: [
      ("2026-11-21T09:30:00.250Z", 250), ("2026-11-21T09:30:00Z", 0), ("2026-11-21T09:30:00", 0),
      ("2026-11-21T10:30:00+01:00", 0), ("2026-11-21T10:30:00+0100", 0), ("2026-11-21T10:30:00+01", 0),
      ("2026-11-21T04:00:00.5-05:30", 500), ("2026-11-20T23:30:00.-10:00", 0),
      ("2026-11-21T09:30:00.2504999Z", 250), ("2026-11-21T09:30:00.250500000Z", 251),
      ("2026-11-21T09:29:59.999999999Z", 0), ("2026-11-21T09:29:60Z", 0),
    ])
  func dates(text: String, milliseconds: Int64) {
    #expect(WallTime(iso8601: text) == Samples.start.advanced(by: .milliseconds(milliseconds)))
  }

  @Test("leap days and the ends of the calendar are right")
  func calendar() {
    #expect(WallTime(iso8601: "1970-01-01T00:00:00Z")?.milliseconds == 0)
    #expect(WallTime(iso8601: "2000-02-29T00:00:00Z")?.milliseconds == 951_782_400_000)
    #expect(WallTime(iso8601: "0000-01-01T00:00:00Z")?.milliseconds == -62_167_219_200_000)
    #expect(WallTime(iso8601: "9999-12-31T23:59:59.999Z")?.milliseconds == 253_402_300_799_999)
  }

  @Test(
    "what is no date is refused",
    arguments: [
      "", "2026", "2026-11-21", "2026-11-21 09:30:00Z", "2026-11-21T09:30Z", "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
      "2026-11-21T24:00:00Z", "2026-11-21T09:60:00Z", "2026-11-21T09:30:61Z", "2026-11-21T09:30:00.0123456789Z",
      "2026-11-21T09:30:00z", "2026-11-21T09:30:00+24:00", "2026-11-21T09:30:00+01:60", "2026-11-21T09:30:00+1",
      "2026-11-21T09:30:00ZZ", "2026-11-21T09:30:00+01:00Z", "-026-11-21T09:30:00Z", "2026-11-21T09:30:00Z ",
    ])
  func notDates(text: String) {
    #expect(WallTime(iso8601: text) == nil)
  }
}
