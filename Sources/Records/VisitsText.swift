import Media

/// The sums of periods as text: a table for people, CSV and JSON for programs.
package struct VisitsText: Sendable {
  private let rows: [PeriodSums]
  private let length: PeriodSums.Length

  /// The text of these rows, which are in order of camera and time.
  package init(_ rows: [PeriodSums], by length: PeriodSums.Length) {
    (self.rows, self.length) = (rows, length)
  }

  private typealias Column = (name: String, value: @Sendable (PeriodSums) -> Int64?)

  private static let figures: [Column] = [
    ("visitors", { $0.visitors }), ("mostViewers", { $0.sums.mostViewers }),
    ("watchedSeconds", { $0.sums.watchedSeconds }), ("waves", { $0.sums.waves }), ("stills", { $0.sums.stills }),
    ("stillBytes", { $0.sums.stillBytes }), ("offSeconds", { $0.sums.offSeconds }),
    ("pausedSeconds", { $0.sums.pausedSeconds }), ("veiledSeconds", { $0.sums.veiledSeconds }),
  ]
  private static let bytes: [Column] = AnswerKind.allCases.map { kind in
    ("\(kind.rawValue)Bytes", { @Sendable (row: PeriodSums) -> Int64? in row.sums.sent[kind] })
  }
  private static let columns = figures + bytes

  // MARK: For programs

  /// Comma-separated values with a line of names (RFC 4180); what is not known is empty.
  package var csv: String {
    let names = (["camera", length.rawValue] + Self.columns.map(\.name)).joined(separator: ",")
    let lines = rows.map { row in
      ([row.camera, row.period] + Self.columns.map { $0.value(row).map(String.init) ?? "" }).joined(separator: ",")
    }
    return ([names] + lines).joined(separator: "\r\n") + "\r\n"
  }

  /// An array with an object for each period; what is not known is `null`.
  package var json: String {
    let objects = rows.map { row in
      let numbers = Self.columns.map { "\($0.name.jsonQuoted):\($0.value(row).map(String.init) ?? "null")" }
      return
        "{\"camera\":\(row.camera.jsonQuoted),\"\(length.rawValue)\":\(row.period.jsonQuoted),"
        + "\(numbers.joined(separator: ","))}"
    }
    return "[" + objects.joined(separator: ",\n ") + "]\n"
  }

  // MARK: For people

  /// One table for each camera, with a bar for the visitors of a day or the time watched.
  package var table: String {
    let cameras = Dictionary(grouping: rows) { $0.camera }
    guard !rows.isEmpty else { return "Nobody has come and nothing was shown in this time.\n" }
    var text = cameras.keys.filter { !$0.isEmpty }.sorted().map { camera in
      block(camera, cameras[camera] ?? [])
    }.joined(separator: "\n")
    let bytes = (cameras[""] ?? []).reduce(0) { $0 + $1.sums.sent.total }
    if bytes > 0 {
      text += (text.isEmpty ? "" : "\n") + "Besides, for scripts and pages of no camera: \(Self.bytes(bytes)).\n"
    }
    return text + "\nAll times are UTC. Visitors of several days cannot be told apart, so they are never added up.\n"
  }

  private static let barWidth: Int64 = 20

  private func block(_ camera: String, _ rows: [PeriodSums]) -> String {
    let hasVisitors = length == .day
    let total = rows.reduce(into: Sums()) { $0 += $1.sums }
    var titles = [length.rawValue]
    if hasVisitors { titles.append("visitors") }
    titles += ["at once", "watched", "a visitor", "waves", "stills", "sent", "off", "paused", "veiled", ""]
    if !hasVisitors { titles.removeAll { $0 == "a visitor" } }
    let most = max(1, rows.map { barValue($0) }.max() ?? 1)
    var lines = [titles]
    for row in rows {
      lines.append(cells(row.sums, row.visitors, period: row.period) + [Self.bar(barValue(row), of: most)])
    }
    if rows.count > 1 { lines.append(cells(total, nil, period: "all") + [""]) }
    let widths = titles.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let written = lines.enumerated().map { index, cells in
      cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 || column == cells.count - 1 ? cell + space : space + cell
      }.joined(separator: "  ").trimmedEnd
    }
    let rule = String(repeating: "─", count: written.map(\.count).max() ?? 0)
    var text = [camera, rule, written[0], rule] + written[1...rows.count]
    if rows.count > 1 { text += [rule, written[rows.count + 1]] }
    return text.joined(separator: "\n") + "\n"
  }

  private func cells(_ sums: Sums, _ visitors: Int64?, period: String) -> [String] {
    var cells = [length == .hour ? period.replacing("T", with: " ").replacing("Z", with: "") : period]
    if length == .day { cells.append(visitors.map { Self.number($0) } ?? "–") }
    cells += [Self.number(sums.mostViewers), Self.time(sums.watchedSeconds)]
    if length == .day { cells.append(visitors.map { $0 > 0 ? Self.time(sums.watchedSeconds / $0) : "–" } ?? "–") }
    return cells + [
      Self.number(sums.waves), Self.number(sums.stills), Self.bytes(sums.sent.total), Self.time(sums.offSeconds),
      Self.time(sums.pausedSeconds), Self.time(sums.veiledSeconds),
    ]
  }

  private func barValue(_ row: PeriodSums) -> Int64 { row.visitors ?? row.sums.watchedSeconds }

  /// A bar of eighths of a character; nothing for zero, and at least something for more.
  static func bar(_ value: Int64, of most: Int64) -> String {
    guard value > 0 else { return "" }
    let eighths = max(1, value * barWidth * 8 / most)
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    return String(repeating: "█", count: Int(eighths / 8)) + parts[Int(eighths % 8)]
  }

  /// A number with a thin gap between thousands.
  static func number(_ value: Int64) -> String {
    var digits = String(value)
    guard digits.count > 4 else { return digits }
    for place in stride(from: 3, to: digits.count, by: 3).map({ $0 + ($0 - 1) / 3 }) {
      digits.insert("\u{202F}", at: digits.index(digits.endIndex, offsetBy: -place))
    }
    return digits
  }

  /// Seconds as people say them: `45 s`, `12 m`, `3 h 05 m`, `2 d 04 h`.
  static func time(_ seconds: Int64) -> String {
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    switch seconds {
    case ..<1: return "–"
    case ..<60: return "\(seconds) s"
    case ..<3600: return "\(seconds / 60) m"
    case ..<86_400: return "\(seconds / 3600) h \(two(seconds / 60 % 60)) m"
    default: return "\(seconds / 86_400) d \(two(seconds / 3600 % 24)) h"
    }
  }

  /// Bytes with three digits at least: `712 B`, `3.4 MB`, `12.0 GB`; units of a thousand.
  static func bytes(_ count: Int64) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"]
    guard count >= 1000 else { return count == 0 ? "–" : "\(count) B" }
    var (tenths, unit) = (count / 100, 0)
    while tenths >= 10_000, unit < units.count - 1 { (tenths, unit) = (tenths / 1000, unit + 1) }
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}

extension String {
  fileprivate var trimmedEnd: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}
