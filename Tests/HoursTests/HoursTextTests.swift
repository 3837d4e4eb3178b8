import Media
import TestSupport
import Testing

@testable import Hours

@Suite struct HoursTextTests {
  private static let weekdays: UInt8 = 0b0011111

  @Test func windowsAreReadAsPeopleWriteThem() throws {
    let clock = HoursWindow(days: Self.weekdays, start: .clock(28_800), end: .clock(64_800))
    for text in [
      "mon-fri 08:00-18:00 Europe/Berlin", "Monday-Friday 8:00 to 18:00 Europe/Berlin",
      "  mon-fri   08:00 - 18:00   Europe/Berlin ", "mon,tue-thu,fri 08:00-18:00 Europe/Berlin",
    ] {
      let hours = try Hours(text)
      #expect(hours.windows == [clock] && hours.zone?.name == "Europe/Berlin" && hours.place == nil, "\(text)")
    }
    let sun = try Hours("sunrise-30m to sunset+1h at 52.52,13.40")
    #expect(sun.windows == [HoursWindow(start: .sun(.sunrise, offset: -1800), end: .sun(.sunset, offset: 3600))])
    #expect(sun.place == Place(latitude: 52_520_000, longitude: 13_400_000) && sun.zone == nil)
    for text in ["dawn to dusk at -33.87, 151.21", "dawn to dusk at -33.87 151.21", "DAWN to DUSK AT -33.8700,+151.21"]
    {
      #expect(try Hours(text).place == Place(latitude: -33_870_000, longitude: 151_210_000), "\(text)")
    }
    for text in ["22:00-sunrise at 52.5,13.4 Europe/Berlin", "22:00 to sunrise Europe/Berlin at 52.5,13.4"] {
      let hours = try Hours(text)
      #expect(hours.zone != nil && hours.place != nil && hours.windows[0].passesMidnight, "\(text)")
    }
    #expect(try Hours("fri-mon 10:00-11:00 utc").windows[0].days == 0b1110001)
    #expect(try Hours("mon 08:00-09:00, 10:00-11:00, sat 12:00-13:00 UTC").windows.map(\.days) == [1, 1, 32])
  }

  @Test func windowsEndOnTheDayOnWhichTheyCan() throws {
    for (text, expected) in [
      ("08:00-18:00", false), ("18:00-08:00", true), ("00:00-24:00", false), ("sunrise to sunset", false),
      ("sunset to sunrise", true), ("dusk to dawn", true), ("19:00 to sunset", false), ("sunset to 23:00", false),
      ("sunset to 02:00", true), ("sunrise to 02:00", true), ("sunrise to 05:00", false), ("05:00 to sunrise", false),
      ("22:00 to sunrise", true), ("sunrise to sunrise+2h", false), ("sunrise to dawn", true),
      ("dawn to sunrise", false),
      ("sunset to dusk", false), ("sunset-10m to sunrise", true), ("dusk to sunset+2h", false),
    ] {
      let place = text.contains("s") || text.contains("d") ? " at 52.52,13.40" : ""
      #expect(try Hours("\(text) UTC\(place)").windows[0].passesMidnight == expected, "\(text)")
    }
  }

  @Test(arguments: [
    ("", "times are missing"), ("08:00-18:00", "need a time zone"),
    ("mon sunrise to sunset at 52.52,13.40", "need a time zone"),
    ("sunrise to sunset", "add one behind the times, such as at 52.52,13.40"),
    ("sunrise to sunset Europe/Berlin", "such as at 52.52,13.40"),
    ("08:00-18:00 Europe/Berlin at 52.52,13.40", "leave it out"),
    ("08:00-18:00 Europe/Nowhere", "\"Europe/Nowhere\" is no time zone"),
    ("08:00-18:00 ../etc/passwd", "is no time zone"),
    ("8-18 Europe/Berlin", "is not from one time to another"), ("8am to 6pm Europe/Berlin", "\"8am\" is no time"),
    ("08:60-18:00 UTC", "\"08:60\" is no time"), ("08:00-24:01 UTC", "\"24:01\" is no time"),
    ("24:00-08:00 UTC", "00:00"), ("08:00-08:00 UTC", "write 00:00-24:00 for a whole day"),
    ("mon-fry 08:00-18:00 UTC", "\"mon-fry\" are no days"), ("mon-tue-wed 08:00-18:00 UTC", "are no days"),
    ("mon UTC", "times are missing behind the last day"), ("08:00-18:00, UTC", "times are missing"),
    ("08:00-18:00 20:00 UTC", "is not from one time to another"), ("sunrise+7h to sunset at 52,13", "is no time"),
    ("sunrise+30 to sunset at 52,13", "is no time"), ("sunrise to sunset at 91,13", "is no place"),
    ("sunrise to sunset at 52", "is no place"), ("sunrise to sunset at", "is no place"),
    ("sunrise to sunset at 52.52,13.40,5", "is no place"), ("sunrise to sunset at 5e1,13", "is no place"),
    ("sunrise\u{2013}sunset at 52,13", "plain ASCII"),
    (Array(repeating: "08:00-09:00", count: 21).joined(separator: ", ") + " UTC", "at most 20"),
  ])
  func whatIsWrongIsSaidWithWhatToWrite(_ text: String, _ message: String) {
    let fault = #expect(throws: HoursFault.self) { try Hours(text) }
    #expect(fault?.description.contains(message) == true, "\(fault?.description ?? "no fault")")
  }

  /// Any text is read or refused, and what is read says when the camera is shown.
  @Test func damagedTextsAreReadOrRefused() throws {
    let words = [
      "mon", "fri-mon", "sat,sun", "08:00-18:00", "22:00", "to", "-", ",", "at", "52.52,13.40", "-90,180", "sunrise",
      "sunset+1h", "dawn-30m", "dusk+6h", "Europe/Berlin", "UTC", "24:00", "0:00", "always", "mon-", "+", ":", "at,",
      "/",
    ]
    var generator = SeededGenerator(seed: 7)
    var count = 0
    let good = [
      "mon-fri 08:00-18:00 Europe/Berlin", "sat,sun 10:00-12:00, 13:00-16:00 Europe/Paris", "22:00-06:00 UTC",
      "sunrise-30m to sunset+1h at 52.52,13.40", "mon dusk to 02:00 Europe/Berlin at -33.87,151.21",
    ]
    for _ in 0..<20_000 {
      var pieces = (good.randomElement(using: &generator) ?? "").split(separator: " ").map(String.init)
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        let place = Int.random(in: 0...pieces.count, using: &generator)
        if place < pieces.count, Bool.random(using: &generator) { pieces.remove(at: place) }
        pieces.insert(words.randomElement(using: &generator) ?? "", at: min(place, pieces.count))
      }
      let text = pieces.joined(separator: " ")
      guard let hours = try? Hours(text) else { continue }
      count += 1
      #expect(try Hours(hours.text) == hours)
      let now = Int64.random(in: -5_000_000_000...5_000_000_000, using: &generator)
      #expect(hours.span(at: WallTime(milliseconds: now * 1000)).until.milliseconds > now * 1000, "\(text) at \(now)")
    }
    #expect(count > 5000 && count < 19_000)
  }

  @Test func textsAreKeptAsTheyWereWritten() throws {
    #expect(try Hours(" mon-fri  08:00-18:00   Europe/Berlin").text == "mon-fri 08:00-18:00 Europe/Berlin")
  }
}
