import HTTPTypes
import Media
import Testing

@testable import Origin
@testable import Station

@Suite struct OperatorTests {
  private typealias Sample = RateWindow.Sample

  // MARK: What a camera did lately

  @Test func ratesAreOfTheLastTimeAlone() {
    var window = RateWindow()
    #expect(window.change(within: 10_000) == nil)
    for second in 0...100 as ClosedRange<Int64> {
      // Twice as much from the 80th second on.
      let stills = second <= 80 ? second : 80 + 2 * (second - 80)
      window.note(Sample(time: second * 1000, stills: stills, stillBytes: stills * 10, partBytes: second))
    }
    #expect(window.change(within: 10_000).map { [$0.time, $0.stills, $0.stillBytes] } == [10_000, 20, 200])
    #expect(window.change(within: 60_000).map { [$0.time, $0.stills, $0.partBytes] } == [60_000, 80, 60])
    // Not more than is kept.
    #expect(window.change(within: 1_000_000).map(\.time) == 62_000)
  }

  @Test func countersThatFallBeginAnew() {
    var window = RateWindow()
    window.note(Sample(time: 0, stills: 100, partBytes: 10))
    window.note(Sample(time: 1000, stills: 2, partBytes: 10))
    #expect(window.change(within: 10_000) == nil)
    window.note(Sample(time: 2000, stills: 5, partBytes: 10))
    #expect(window.change(within: 10_000)?.stills == 3)
  }

  // MARK: How a camera is

  @Test(
    arguments: [
      (Director.Source.live, 400, 1000, CameraCondition.State.live, "Stills come."),
      (.live, 4900, 1000, .live, "Stills come."),
      (
        .live, 8000, 1000, .held,
        "No still for 8 s. The last picture stands until 30 s have passed, then the loop is shown."
      ),
      // A slow camera is not held between two of its stills.
      (.live, 20_000, 10_000, .live, "Stills come."),
      // After a start the last picture stands too.
      (
        .live, nil, nil, .held,
        "No still since the start. The last picture stands until 30 s have passed, then the loop is shown."
      ),
      (.off, 3_900_000, nil, .off, "No still for 1 h 5 min. The loop is shown."),
      (.off, nil, nil, .off, "No still since the start. The loop is shown."),
      (.paused, 400, 1000, .paused, "Paused by the operator. The loop is shown."),
    ] as [(Director.Source, Int64?, Int64?, CameraCondition.State, String)])
  func aConditionHasAReason(
    source: Director.Source, age: Int64?, interval: Int64?, state: CameraCondition.State, why: String
  ) {
    let condition = CameraCondition(.init(source: source, stillAge: age, interval: interval, hold: 30_000))
    #expect(condition.state == state)
    #expect(condition.why == why)
  }

  @Test func aPauseSaysWhoseItIs() {
    func why(_ isPaused: Bool, _ hours: String?) -> String {
      var standing = Director.Standing()
      standing.isPaused = isPaused
      return CameraCondition(.init(source: .paused, standing: standing, closedHours: hours)).why
    }
    let hours = "mon-fri 08:00-18:00 Europe/Berlin"
    #expect(why(true, nil) == "Paused by the operator. The loop is shown.")
    #expect(why(false, hours) == "Outside its hours (\(hours)). The loop is shown.")
    #expect(why(true, hours) == "Paused by the operator. Outside its hours (\(hours)). The loop is shown.")
  }

  @Test func aVeilThatWaitsSaysSo() {
    var standing = Director.Standing()
    standing.isVeiled = true
    let condition = CameraCondition(.init(source: .live, stillAge: 100, standing: standing))
    #expect(condition.state == .live && condition.why.contains("if the camera has a loop"))
  }

  @Test func aVeilSaysWhoseItIs() {
    var standing = Director.Standing()
    standing.isVeiled = true
    let ordered = CameraCondition(.init(source: .veiled, standing: standing))
    let drawn = CameraCondition(.init(source: .veiled))
    #expect(ordered.state == .veiled && drawn.state == .veiled)
    #expect(ordered.why.contains("by the operator") && drawn.why.contains("veil-every"))
    let ending = CameraCondition(.init(source: .veiled, isVeilEnding: true))
    #expect(ending.state == .veiled && ending.why.hasPrefix("The veil is ending."))
  }

  @Test func sinceIsWhenTheStateBegan() {
    var watch = CameraWatch()
    var counters = Camera.Counters()
    let coding = Histogram(milliseconds: [10, 100])
    func time(_ seconds: Int64) -> WallTime { WallTime(milliseconds: 1_790_000_000_000 + seconds * 1000) }
    for second in 0...20 as ClosedRange<Int64> {
      counters.source = second < 12 ? .live : .paused
      counters.lastStill = time(second)
      counters.taken = second
      coding.add(nanoseconds: 20_000_000)
      watch.look(counters, coding: coding.counted, hold: nil, now: second * 1000, time: time(second))
    }
    #expect(watch.condition?.state == .paused && watch.since == time(12))
    #expect(watch.lately?.stills == 10)
    #expect(watch.minute.map { $0.codingTime / $0.coded } == 20_000)
  }

  // MARK: Charts

  private static let day: Int64 = 86_400
  // 2026-11-29T22:30:00Z
  private static let now: Int64 = 1_795_991_400

  private func row(_ begin: Int64, viewers: Int64 = 0, visitors: Int64? = nil, watched: Int64 = 0) -> HistoryRow {
    var row = HistoryRow(begin: begin)
    (row.viewers, row.visitors, row.watched) = (viewers, visitors, watched)
    return row
  }

  @Test func aDayHasTheLast24HoursAndNoVisitors() {
    var chart = HistoryChart(.day, now: Self.now)
    let hour = Self.now / 3600 * 3600
    chart.add(row(hour, viewers: 2, watched: 60))
    chart.add(row(hour, viewers: 3, watched: 30))
    chart.add(row(hour - 23 * 3600, viewers: 1, watched: 7))
    chart.add(row(hour - 24 * 3600, watched: 1000))
    let bars = chart.bars
    #expect(bars.count == 24 && bars.last?.begin == hour)
    #expect(bars.last?.viewers == 5 && bars.last?.watched == 90 && bars.first?.watched == 7)
    #expect(bars.allSatisfy { $0.visitors == nil })
    #expect(bars.map(\.watched).reduce(0, +) == 97)
  }

  @Test func aMonthHas30DaysOfUTC() {
    var chart = HistoryChart(.month, now: Self.now)
    let today = Self.now / Self.day * Self.day
    chart.add(row(today, viewers: 4, visitors: 10))
    chart.add(row(today, viewers: 5, visitors: 7))
    #expect(chart.bars.count == 30)
    #expect(chart.bars.last.map { [$0.begin, $0.viewers, $0.visitors ?? -1] } == [today, 9, 17])
    #expect(chart.bars.first.map { [$0.begin, $0.visitors ?? -1] } == [today - 29 * Self.day, 0])
  }

  @Test func visitorsOfAMonthAreTheMeanOfItsDays() {
    var chart = HistoryChart(.year, now: Self.now)
    let november = CivilDate.day(year: 2026, month: 11) * Self.day
    for (day, visitors) in [(0, 10), (1, 21), (2, 0), (3, 30)] as [(Int64, Int64)] {
      chart.add(row(november + day * Self.day, viewers: visitors, visitors: visitors, watched: 100))
    }
    let bars = chart.bars
    #expect(bars.count == 12 && bars.last?.begin == november)
    #expect(bars.first?.begin == CivilDate.day(year: 2025, month: 12) * Self.day)
    #expect(bars.last.map { [$0.visitors ?? -1, $0.viewers, $0.watched] } == [20, 30, 400])
  }

  @Test func civilDatesGoThereAndBack() {
    #expect(CivilDate.day(year: 1970, month: 1) == 0 && CivilDate.day(year: 2000, month: 3) == 11_017)
    for month in 1...(12 * 140) as ClosedRange<Int64> {
      let day = CivilDate.day(year: 1970, month: month)
      let (year, back) = CivilDate.yearAndMonth(ofDay: day)
      #expect((year - 1970) * 12 + back == month)
      #expect(day == 0 || CivilDate.yearAndMonth(ofDay: day - 1) != (year, back))
    }
  }

  // MARK: Requests

  @Test func pathsAreRead() {
    #expect(OperatorRoute(path: "/") == .page && OperatorRoute(path: "/_/operator.js") == .asset("operator.js"))
    #expect(OperatorRoute(path: "/cameras/desk/latest.jpg") == .latest("desk"))
    #expect(OperatorRoute(path: "/tokens/0a1b") == .token("0a1b"))
    for path in ["", "/status", "/metrics", "/ingest/desk", "/cameras/desk/pause", "/cameras/desk", "/_/a/b", "//"] {
      #expect(OperatorRoute(path: path[...]) == nil)
    }
  }

  @Test(
    arguments: [
      ([:], false, false),
      ([.origin: "http://127.0.0.1:8081"], false, true),
      ([.origin: "http://127.0.0.1:8080"], true, false),
      ([.secFetchSite: "same-origin"], false, true),
      // A page on another port of this host: its requests have the cookie.
      ([.secFetchSite: "same-site"], true, false),
      ([.secFetchSite: "cross-site"], true, false),
      // Typed in by the operator: nothing is changed by it.
      ([.secFetchSite: "none"], false, false),
    ] as [(HTTPFields, Bool, Bool)])
  func onlyOurOwnPageCountsAsOurs(fields: HTTPFields, isForeign: Bool, isOurs: Bool) {
    let request = HTTPRequest(
      method: .post, scheme: "http", authority: "127.0.0.1:8081", path: "/", headerFields: fields)
    #expect(OperatorGate.isForeign(request) == isForeign)
    #expect(OperatorGate.isOurs(request) == isOurs)
  }
}
