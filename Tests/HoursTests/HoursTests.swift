import Media
import TestSupport
import Testing

@testable import Hours

/// Moments were computed with Python's zoneinfo, those of the sun with PyEphem.
@Suite struct HoursTests {
  /// Seconds since 1970 of a moment `2026-03-29T01:00`, in UTC.
  private func moment(_ text: String) throws -> Int64 {
    let numbers = text.split { "-T:".contains($0) }.compactMap { Int64($0) }
    try #require(numbers.count == 5)
    // A day is found by its own rendering.
    var day = (numbers[0] - 1970) * 365 + (numbers[1] - 1) * 28
    while !WallTime(milliseconds: day * 86_400_000).iso8601.hasPrefix(text.prefix(10)) { day += 1 }
    return day * 86_400 + numbers[3] * 3600 + numbers[4] * 60
  }

  private func span(_ hours: Hours, _ moment: Int64) -> Hours.Span {
    hours.span(at: WallTime(milliseconds: moment * 1000))
  }

  /// All changes between two moments: when it opened and when it closed.
  private func changes(_ text: String, from start: String, to end: String) throws -> [Int64] {
    let hours = try Hours(text)
    let last = try moment(end)
    var (now, found) = (try moment(start), [Int64]())
    var isShown = span(hours, now).isShown
    while now < last {
      now = span(hours, now).until.milliseconds / 1000
      if now < last, span(hours, now).isShown != isShown {
        isShown.toggle()
        found.append(now)
      }
    }
    return found
  }

  @Test(
    arguments: [
      // A weekend, over which the clocks go forward.
      (
        "mon-fri 08:00-18:00 Europe/Berlin", "2026-03-27T00:00", "2026-03-31T00:00",
        ["2026-03-27T07:00", "2026-03-27T17:00", "2026-03-30T06:00", "2026-03-30T16:00"]
      ),
      // 02:30 does not come: the moment of the change counts.
      (
        "02:30-04:00 Europe/Berlin", "2026-03-28T12:00", "2026-03-30T12:00",
        ["2026-03-29T01:00", "2026-03-29T02:00", "2026-03-30T00:30", "2026-03-30T02:00"]
      ),
      ("02:10-02:50 Europe/Berlin", "2026-03-28T12:00", "2026-03-29T12:00", []),
      // 02:30 comes twice: the first time counts, for the beginning and for the end.
      ("02:30-04:00 Europe/Berlin", "2026-10-24T12:00", "2026-10-25T12:00", ["2026-10-25T00:30", "2026-10-25T03:00"]),
      ("01:00-02:30 Europe/Berlin", "2026-10-24T12:00", "2026-10-25T12:00", ["2026-10-24T23:00", "2026-10-25T00:30"]),
      // Over midnight and over a change: 7 and 9 hours.
      (
        "22:00-06:00 America/New_York", "2026-03-07T18:00", "2026-03-08T18:00",
        ["2026-03-08T03:00", "2026-03-08T10:00"]
      ),
      (
        "22:00-06:00 America/New_York", "2026-10-31T18:00", "2026-11-01T18:00",
        ["2026-11-01T02:00", "2026-11-01T11:00"]
      ),
      // Half an hour of daylight saving time, and a zone with half an hour.
      (
        "08:00-09:00 Australia/Lord_Howe", "2026-04-04T00:00", "2026-04-05T12:00",
        ["2026-04-04T21:30", "2026-04-04T22:30"]
      ),
      (
        "08:00-09:00 Australia/Lord_Howe", "2026-10-03T00:00", "2026-10-04T12:00",
        ["2026-10-03T21:00", "2026-10-03T22:00"]
      ),
      // A window belongs to the day on which it begins.
      (
        "fri 20:00-02:00 Asia/Kolkata", "2026-11-26T00:00", "2026-12-02T00:00",
        ["2026-11-27T14:30", "2026-11-27T20:30"]
      ),
      ("sun-tue 00:00-24:00 UTC", "2026-11-28T00:00", "2026-12-04T00:00", ["2026-11-29T00:00", "2026-12-02T00:00"]),
      (
        "sat,sun 10:00-12:00, 13:00-16:00 Europe/Paris", "2026-11-28T00:00", "2026-11-29T00:00",
        ["2026-11-28T09:00", "2026-11-28T11:00", "2026-11-28T12:00", "2026-11-28T15:00"]
      ),
      (
        "08:00-12:00, 11:00-14:00 UTC", "2026-11-28T00:00", "2026-11-29T00:00",
        ["2026-11-28T08:00", "2026-11-28T14:00"]
      ),
    ] as [(String, String, String, [String])])
  func windowsByTheClock(_ text: String, _ start: String, _ end: String, _ expected: [String]) throws {
    #expect(try changes(text, from: start, to: end) == expected.map { try moment($0) }, "\(text)")
  }

  @Test(
    arguments: [
      // In Berlin the sun rises at 06:51:23 and sets at 14:57:34 UTC; it is dusk until 15:37:34.
      (
        "sunrise-30m to sunset+1h at 52.52,13.40", "2026-11-29T00:00", "2026-11-30T00:00",
        ["2026-11-29T06:21", "2026-11-29T15:57"]
      ),
      (
        "08:00 to sunset Europe/Berlin at 52.52,13.40", "2026-11-29T00:00", "2026-11-30T00:00",
        ["2026-11-29T07:00", "2026-11-29T14:57"]
      ),
      (
        "dusk to 23:00 Europe/Berlin at 52.52,13.40", "2026-11-29T00:00", "2026-11-30T00:00",
        ["2026-11-29T15:37", "2026-11-29T22:00"]
      ),
      // An evening that ends before the sun sets has nothing; it does not last until the next one.
      ("19:00 to sunset Europe/Berlin at 52.52,13.40", "2026-11-29T00:00", "2026-11-30T00:00", []),
      (
        "sunset to sunrise at 52.52,13.40", "2026-11-29T12:00", "2026-11-30T12:00",
        ["2026-11-29T14:57", "2026-11-30T06:52"]
      ),
      // 14 hours ahead of UTC, and almost 11 behind it by the sun: Monday's sun is the zone's.
      (
        "mon sunrise to sunset Pacific/Kiritimati at 1.87,-157.40", "2026-11-28T00:00", "2026-12-01T12:00",
        ["2026-11-29T16:17", "2026-11-30T04:18"]
      ),
      // In the polar day the sun is up and in the polar night down, without any change.
      ("sunrise to sunset at 69.65,18.96", "2026-06-01T00:00", "2026-07-10T00:00", []),
      ("sunrise to sunset at 69.65,18.96", "2026-12-05T00:00", "2027-01-05T00:00", []),
      ("sunset to sunrise at 69.65,18.96", "2026-06-01T00:00", "2026-07-10T00:00", []),
      ("sunset to sunrise at 69.65,18.96", "2026-12-05T00:00", "2027-01-05T00:00", []),
      (
        "dawn to dusk at 69.65,18.96", "2026-12-21T00:00", "2026-12-22T00:00", ["2026-12-21T08:31", "2026-12-21T12:53"]
      ),
    ] as [(String, String, String, [String])])
  func windowsByTheSun(_ text: String, _ start: String, _ end: String, _ expected: [String]) throws {
    let found = try changes(text, from: start, to: end)
    let wanted = try expected.map { try moment($0) }
    #expect(found.count == wanted.count, "\(text): \(found.map { WallTime(milliseconds: $0 * 1000) })")
    for (found, wanted) in zip(found, wanted) {
      #expect(abs(found - wanted) <= 90, "\(text): \(WallTime(milliseconds: found * 1000))")
    }
  }

  @Test(arguments: [
    ("sunrise to sunset at 69.65,18.96", true, false), ("sunset to sunrise at 69.65,18.96", false, true),
  ])
  func polarDaysAreShownAndPolarNightsAreNot(_ text: String, _ inJune: Bool, _ inDecember: Bool) throws {
    let hours = try Hours(text)
    let (june, december) = (span(hours, try moment("2026-06-21T00:00")), span(hours, try moment("2026-12-21T12:00")))
    #expect(june.isShown == inJune && !june.changes)
    #expect(december.isShown == inDecember && !december.changes)
  }

  @Test func hoursWithoutEndAreLookedAtAgainInAWeek() throws {
    let now = try moment("2026-11-29T23:00")
    let span = span(try Hours("00:00-24:00 Europe/Berlin"), now)
    #expect(span.isShown && !span.changes)
    #expect((6 * 86_400...10 * 86_400).contains(span.until.milliseconds / 1000 - now))
  }

  @Test(arguments: [
    "mon-fri 08:00-18:00 Europe/Berlin", "22:00-06:00 America/New_York", "sunrise-30m to sunset+1h at 52.52,13.40",
    "sat dusk to 02:00 Australia/Sydney at -33.87,151.21", "sunset-2h to dawn at 69.65,18.96",
    "02:30-02:45, 03:00-03:15 Europe/Berlin",
  ])
  func whatHoldsAtAMomentHoldsUntilItChanges(_ text: String) throws {
    let hours = try Hours(text)
    var generator = SeededGenerator(seed: 15)
    for _ in 0..<300 {
      let now = Int64.random(in: 1_790_000_000...1_990_000_000, using: &generator)
      let here = span(hours, now)
      let until = here.until.milliseconds / 1000
      #expect(until > now && until - now < 10 * 86_400)
      let between = span(hours, Int64.random(in: now..<until, using: &generator))
      #expect(between.isShown == here.isShown)
      // What the sun does may be computed a second differently from another day on.
      #expect(span(hours, until - 2).isShown == here.isShown)
      if here.changes { #expect(span(hours, until + 2).isShown != here.isShown) }
    }
  }
}
