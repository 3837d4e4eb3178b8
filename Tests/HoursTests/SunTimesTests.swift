import Testing

@testable import Hours

@Suite struct SunTimesTests {
  @Test func timesAreThoseOfAnotherProgramToTheMinute() throws {
    for row in SunRow.all {
      let sun = SunTimes(place: try #require(row.place))
      for (event, expected) in zip(SunEvent.allCases, row.seconds) {
        guard let expected else { continue }
        let found = sun.moment(of: event, nearestTo: row.noon) - row.noon
        #expect(abs(found - expected) <= 60, "\(row.name) \(event) at \(row.noon): \(found), not \(expected)")
      }
    }
  }

  /// In the polar day the lowest moments count, in the polar night the highest one; the sun's noon is within 17 minutes
  /// of the mean one.
  @Test func daysWithoutAnEventHaveALimitInItsPlace() throws {
    var count = 0
    for row in SunRow.all {
      let sun = SunTimes(place: try #require(row.place))
      let isSummer = row.seconds == [nil, nil, nil, nil] || row.name == "Reykjavik"
      for (event, expected) in zip(SunEvent.allCases, row.seconds) where expected == nil {
        count += 1
        let found = sun.moment(of: event, nearestTo: row.noon) - row.noon
        let limit: Int64 = isSummer ? event.isMorning ? -43_200 : 43_200 : 0
        #expect(abs(found - limit) <= 17 * 60, "\(row.name) \(event) at \(row.noon): \(found)")
      }
    }
    #expect(count == 8)
  }

  @Test func anyMomentOfTheSolarDayFindsTheSameEvent() throws {
    let row = try #require(SunRow.all.first)
    let sun = SunTimes(place: try #require(row.place))
    let found = sun.moment(of: .sunset, nearestTo: row.noon)
    for shift: Int64 in [-43_000, -10_000, 10_000, 43_000] {
      #expect(sun.moment(of: .sunset, nearestTo: row.noon + shift) == found)
    }
    #expect(abs(sun.moment(of: .sunset, nearestTo: row.noon + 86_400) - found - 86_400) < 300)
  }

  /// From day to day the times move by minutes, also where they begin or cease to exist.
  @Test(arguments: [0, 52_520_000, 66_500_000, 69_650_000, 78_220_000, 90_000_000, -90_000_000] as [Int64])
  func timesOfAYearAreInOrderWithoutJumps(latitude: Int64) throws {
    let sun = SunTimes(place: try #require(Place(latitude: latitude, longitude: 15_000_000)))
    for day: Int64 in 20_000..<20_366 {
      let noon = day * 86_400 + 43_200 - 3600
      let times = SunEvent.allCases.map { sun.moment(of: $0, nearestTo: noon) - noon }
      // At the poles one of two that are the same may be half a day away, with another equation of time.
      #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 + 20 }, "day \(day): \(times)")
      #expect(times[0] >= -43_200 - 1100 && times[3] <= 43_200 + 1100)
    }
  }
}
