import Media
import Testing

@testable import Records

@Suite struct VisitsTextTests {
  private func row(_ camera: String, _ period: String, visitors: Int64?, watched: Int64 = 0, media: Int64 = 0)
    -> PeriodSums
  {
    var sums = Sums()
    (sums.watchedSeconds, sums.mostViewers, sums.stills) = (watched, visitors ?? 0, 43_200)
    (sums.offSeconds, sums.veiledSeconds) = (30, 90)
    sums.sent[.media] = media
    return PeriodSums(camera: camera, period: period, begin: 0, sums: sums, visitors: visitors)
  }

  @Test func peopleGetATableForEachCamera() {
    let text = VisitsText(
      [
        row("", "2026-11-28", visitors: 0, media: 1_234_567),
        row("desk", "2026-11-28", visitors: 120, watched: 36_120, media: 1_250_000_000),
        row("desk", "2026-11-29", visitors: 60, watched: 59, media: 999), row("yard", "2026-11-29", visitors: 0),
      ], by: .day
    ).table
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.contains { $0.hasPrefix("2026-11-28       120") && $0.hasSuffix("████████████████████") })
    #expect(lines.contains { $0.hasPrefix("2026-11-29        60") && $0.hasSuffix("  ██████████") })
    let all = lines.first { $0.hasPrefix("all") } ?? ""
    #expect(all.contains("10 h 02 m") && all.contains("1.2 GB") && all.contains("–") && !all.contains("180"))
    #expect(lines.contains("yard") && lines.filter { $0.hasPrefix("all") }.count == 1)
    #expect(text.contains("of no camera: 1.2 MB"))
    #expect(text.contains("never added up"))
    // All lines of a table are as wide as its head, or end in a bar.
    let head = lines[2].count
    #expect(lines[1].count >= head && lines[4].count <= lines[1].count)
  }

  @Test func hoursAreWithoutVisitors() {
    let text = VisitsText([row("desk", "2026-11-29T21:00Z", visitors: nil, watched: 5)], by: .hour).table
    #expect(text.contains("2026-11-29 21:00") && !text.split(separator: "\n")[2].contains("visitors"))
  }

  @Test func nothingIsSaidInWords() {
    #expect(VisitsText([], by: .day).table.contains("Nobody has come"))
    #expect(VisitsText([], by: .day).json == "[]\n")
    #expect(VisitsText([], by: .day).csv.split(separator: "\r\n").count == 1)
  }

  @Test func programsGetEveryColumn() {
    let rows = [row("desk", "2026-11-29", visitors: 3, media: 7), row("desk", "2026-11", visitors: nil)]
    let csv = VisitsText(rows, by: .day).csv.split(separator: "\r\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(csv.map(\.count) == [17, 17, 17])
    #expect(csv[0].prefix(3) == ["camera", "day", "visitors"])
    #expect(csv[1][2] == "3" && csv[2][2] == "")
    let json = VisitsText(rows, by: .day).json
    #expect(json.contains(#""camera":"desk","day":"2026-11-29","visitors":3,"#) && json.contains(#""mediaBytes":7"#))
    #expect(json.contains(#""visitors":null"#))
  }

  @Test(
    arguments: [
      (0, "–"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (1_000_000, "1.0 MB"),
      (12_345_678_901, "12.3 GB"), (Int64.max / 2, "4611.6 PB"),
    ] as [(Int64, String)])
  func bytesAreShort(count: Int64, text: String) { #expect(VisitsText.bytes(count) == text) }

  @Test(
    arguments: [
      (0, "–"), (59, "59 s"), (3599, "59 m"), (3600, "1 h 00 m"), (86_399, "23 h 59 m"), (90_000, "1 d 01 h"),
    ] as [(Int64, String)])
  func timesAreShort(seconds: Int64, text: String) { #expect(VisitsText.time(seconds) == text) }

  @Test func barsNeverLie() {
    #expect(VisitsText.bar(0, of: 10) == "" && VisitsText.bar(1, of: 1000) == "▏")
    #expect(VisitsText.bar(10, of: 10).count == 20 && VisitsText.bar(5, of: 10).count == 10)
    #expect(VisitsText.number(1_234_567) == "1\u{202F}234\u{202F}567" && VisitsText.number(9999) == "9999")
  }
}
