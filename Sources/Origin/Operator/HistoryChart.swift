import Media
import Records

/// How far back a chart reaches.
enum HistorySpan: String, CaseIterable, Sendable {
  /// The last 24 hours, by hour.
  case day
  /// The last 30 days, by day.
  case month
  /// The last twelve months, by month.
  case year
}

/// What is kept of one hour or one day of a camera.
struct HistoryRow: Hashable, Sendable {
  /// When it begins, in seconds since 1970.
  var begin: Int64
  /// The most that watched at the same time.
  var viewers: Int64 = 0
  /// Visitors of a day; `nil` for an hour.
  var visitors: Int64?
  /// Seconds that all of them watched together.
  var watched: Int64 = 0
  /// Bytes that were sent to viewers.
  var bytes: Int64 = 0
  /// Stills that came.
  var stills: Int64 = 0
  /// Waves.
  var waves: Int64 = 0
  /// Seconds in which the camera was off, and those under a veil.
  var off: Int64 = 0
  var veiled: Int64 = 0

  /// An hour or day of which nothing is known yet.
  init(begin: Int64) { self.begin = begin }

  /// The sums of a period.
  init(_ period: PeriodSums) {
    begin = period.begin
    (viewers, visitors, watched) = (period.sums.mostViewers, period.visitors, period.sums.watchedSeconds)
    (bytes, stills, waves) = (period.sums.sent.total, period.sums.stills, period.sums.waves)
    (off, veiled) = (period.sums.offSeconds, period.sums.veiledSeconds)
  }
}

/// The bars of a chart: sums of hours, days or months, with those in which nothing was.
///
/// Days and months are those of UTC, because visitors are counted for a UTC day. Visitors of several days are never
/// added up, since who comes each day would count each day: a month has the mean of its days.
struct HistoryChart: Sendable {
  private static let day: Int64 = 86_400

  let span: HistorySpan
  /// When each bar begins, and when the last one ends.
  private let edges: [Int64]
  private var sums: [HistoryRow]
  // Over all cameras, by when the hour or day begins.
  private var visitors: [Int64: Int64] = [:]
  private var viewers: [Int64: Int64] = [:]

  /// An empty chart that ends now, in seconds since 1970.
  init(_ span: HistorySpan, now: Int64) {
    self.span = span
    switch span {
    case .day:
      let end = (now / 3600 + 1) * 3600
      edges = (0...24).map { end - (24 - $0) * 3600 }
    case .month:
      let end = (now / Self.day + 1) * Self.day
      edges = (0...30).map { end - (30 - $0) * Self.day }
    case .year:
      let (year, month) = CivilDate.yearAndMonth(ofDay: now / Self.day)
      edges = (-11...1).map { CivilDate.day(year: year, month: month + $0) * Self.day }
    }
    sums = edges.dropLast().map { HistoryRow(begin: $0) }
  }

  /// The time that it needs rows of, in seconds since 1970: of hours for a day, else of days.
  var range: Range<Int64> { edges[0]..<edges[edges.count - 1] }

  /// Adds an hour or day of a camera; one outside the range is left out.
  mutating func add(_ row: HistoryRow) {
    guard range.contains(row.begin), let index = edges.lastIndex(where: { $0 <= row.begin }) else { return }
    viewers[row.begin, default: 0] += row.viewers
    if let count = row.visitors { visitors[row.begin, default: 0] += count }
    sums[index].watched += row.watched
    sums[index].bytes += row.bytes
    sums[index].stills += row.stills
    sums[index].waves += row.waves
    sums[index].off += row.off
    sums[index].veiled += row.veiled
  }

  /// The bars, oldest first.
  var bars: [HistoryRow] {
    sums.indices.map { index in
      var bar = sums[index]
      let time = edges[index]..<edges[index + 1]
      bar.viewers = viewers.lazy.filter { time.contains($0.key) }.map(\.value).max() ?? 0
      let days = visitors.lazy.filter { time.contains($0.key) && $0.value > 0 }.map(\.value)
      let count = Int64(days.count)
      bar.visitors = span == .day ? nil : count == 0 ? 0 : (days.reduce(0, +) + count / 2) / count
      return bar
    }
  }

  /// The chart as one line of JSON.
  var json: String {
    let items = bars.map { bar in
      "{\"begin\":\"\(WallTime(milliseconds: bar.begin * 1000).iso8601)\",\"viewers\":\(bar.viewers),"
        + "\"visitors\":\(bar.visitors.map { "\($0)" } ?? "null"),\"watched\":\(bar.watched),\"bytes\":\(bar.bytes),"
        + "\"stills\":\(bar.stills),\"waves\":\(bar.waves),\"off\":\(bar.off),\"veiled\":\(bar.veiled)}"
    }
    return "{\"span\":\"\(span.rawValue)\",\"bars\":[\(items.joined(separator: ","))]}"
  }
}

/// Days since 1970 and the months they are in (proleptic Gregorian calendar, UTC).
enum CivilDate {
  /// The year and month, 1 to 12, of a day.
  static func yearAndMonth(ofDay day: Int64) -> (year: Int64, month: Int64) {
    let text = WallTime(milliseconds: day * 86_400_000).iso8601.split(separator: "-")
    return (Int64(text[0]) ?? 1970, Int64(text[1]) ?? 1)
  }

  /// The first day of a month; months beyond 1 to 12 are those of the years beside it.
  static func day(year: Int64, month: Int64) -> Int64 {
    let months = year * 12 + month - 1
    let (year, month) = (months / 12, months % 12 + 1)
    // Days from a civil date (Howard Hinnant's `days_from_civil`), for the first of a month after the year 0.
    let shifted = month > 2 ? year : year - 1
    let (era, inEra) = (shifted / 400, shifted % 400)
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5
    return era * 146_097 + inEra * 365 + inEra / 4 - inEra / 100 + dayOfYear - 719_468
  }
}
