import Foundation

/// The figures of a bandwidth bench as a table for a terminal.
package struct ResultTable: CustomStringConvertible {
  private let result: BandwidthResult

  /// The table of a result.
  package init(_ result: BandwidthResult) { self.result = result }

  /// Its lines.
  package var description: String {
    var rows: [[String]] = [
      [
        "", "kB/min", "of polling", "media", "playlists", "headers", "requests", "framing", "join kB", "SSIM still",
        "SSIM scene", "latency s", "shown", "GB 9000 min", "GB 100/month",
      ]
    ]
    for entry in result.entries { rows.append(row(entry)) }
    if result.entries.contains(where: { $0.vmaf != nil }) {
      rows[0].append("VMAF")
      for (index, entry) in result.entries.enumerated() { rows[index + 1].append(text(entry.vmaf, 1)) }
    }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    var lines = [headline]
    for row in rows {
      let cells = zip(row, widths).enumerated().map { index, cell in
        let padding = String(repeating: " ", count: cell.1 - cell.0.count)
        return index == 0 ? cell.0 + padding : padding + cell.0
      }
      lines.append(cells.joined(separator: "  "))
    }
    lines += notes
    return lines.joined(separator: "\n")
  }

  private var headline: String {
    "\(result.source): \(result.stills) stills of \(result.stillBytes) bytes, one each \(text(result.every, 1)) s, "
      + "\(result.transport), \(text(result.seconds, 0)) s measured, parts of \(text(result.part, 1)) s, segments of "
      + "\(text(result.segment, 0)) s" + (result.settings.isEmpty ? "" : ", \(result.settings)")
  }

  private func row(_ entry: BandwidthResult.Entry) -> [String] {
    guard let bytes = entry.perMinute else { return [entry.title] + Array(repeating: "-", count: 14) }
    let isWhole = entry.shown.map { "\($0)/\(result.pushed)" } ?? "-"
    return [
      entry.title, kilobytes(bytes.total), entry.ofPolling.map { text(100 * $0, 1) + " %" } ?? "-",
      kilobytes(bytes.media), kilobytes(bytes.playlists), kilobytes(bytes.headers), kilobytes(bytes.requests),
      kilobytes(bytes.framing), entry.join.map { kilobytes($0.total) } ?? "-", text(entry.ssimToStill, 4),
      text(entry.ssimToScene, 4), text(entry.latency, 2), isWhole, text(entry.visitorsGB, 2), text(entry.monthGB, 0),
    ]
  }

  private var notes: [String] {
    var notes = ["kB and GB are thousands of TCP's payload, both ways; join is a viewer's first 5 s."]
    if let player = result.entries.map(\.playerBytes).max(), player > 0 {
      notes.append(
        "Players of video load page and player once: \(kilobytes(player)) kB, not in the figures above; 9,000 new visitors "
          + "of Quietcam by hls.js cost \(text(result.entries.first { $0.way == .lowLatency }?.visitorsWithPlayerGB, 2)) GB with it."
      )
    }
    if let ssim = result.ssimOfStills {
      notes.append("The stills themselves against the scene: SSIM \(text(ssim, 4)).")
    }
    if let warning = result.warning { notes.append("Warning: \(warning).") }
    for entry in result.entries {
      if let problem = entry.problem { notes.append("\(entry.title): \(problem)") }
    }
    for check in result.checks {
      notes.append(
        "\(check.way.title): \(check.counted) bytes counted, \(check.kernel) by the kernel (ss), "
          + "\(text(check.difference, 3)) % apart")
    }
    return notes
  }

  private func kilobytes(_ bytes: Int) -> String { text(Double(bytes) / 1000, bytes < 99_950 ? 1 : 0) }

  private func text(_ number: Double?, _ decimals: Int) -> String {
    number.map { String(format: "%.\(decimals)f", $0) } ?? "-"
  }
}
