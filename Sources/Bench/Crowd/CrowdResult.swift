import Foundation
import Media

/// What a crowd of viewers saw.
package struct CrowdResult: Sendable {
  /// How they watched.
  package let way: CrowdWay
  /// How many viewers there should have been, and how many got media.
  package let asked: Int
  package let joined: Int
  /// For how long all watched.
  package let elapsed: Duration
  /// Answers and bytes in that time.
  package let playlists: Int
  package let media: Int
  package let bytes: Int
  /// Answers with an error, by status, and what else went wrong.
  package let refused: [Int: Int]
  package let mistakes: [String: Int]
  /// From the first viewer to the last.
  package let spread: CrowdSpread
  /// The server's processor time and memory, where it runs as a child of this program.
  package var server: (cpu: Duration, peakKiB: Int)?

  init(
    way: CrowdWay, asked: Int, before: CrowdTally, after: CrowdTally, refusedConnections: Int, elapsed: Duration
  ) {
    (self.way, self.asked, self.elapsed) = (way, asked, elapsed)
    joined = after.joined
    playlists = after.playlists - before.playlists
    media = after.media - before.media
    bytes = after.bytes - before.bytes
    refused = after.refused
    var mistakes = after.mistakes
    if refusedConnections > 0 { mistakes["a connection was refused"] = refusedConnections }
    self.mistakes = mistakes
    spread = CrowdSpread(after.arrivals.filter { before.arrivals[$0.key] == nil }, viewers: after.joined)
  }

  /// Whether all viewers saw everything.
  package var isGood: Bool { refused.isEmpty && mistakes.isEmpty && joined == asked }
}

extension CrowdResult: CustomStringConvertible {
  /// Some lines for a terminal.
  package var description: String {
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    func each(_ count: Int) -> String { String(format: "%.0f", Double(count) / max(0.001, seconds)) }
    var lines = [
      "\(joined) of \(asked) \(way.text), \(String(format: "%.0f", seconds)) s",
      "  \(each(playlists)) playlists/s, \(each(media)) media/s, \(each(bytes / 1000)) kB/s, "
        + String(
          format: "%.1f kB a viewer-minute", Double(bytes) / 1000 / max(0.001, seconds) * 60 / Double(max(1, joined))),
    ]
    if spread.count > 0 {
      lines.append(
        "  first to last viewer of \(spread.count) parts or segments: median \(spread.span.median) ms, most "
          + "\(spread.span.most) ms; after the first: p50 \(spread.wait(at: 50)) ms, p99 \(spread.wait(at: 99)) ms")
    }
    if let server {
      let used = Double(server.cpu.components.seconds) + Double(server.cpu.components.attoseconds) / 1e18
      lines.append(
        String(
          format: "  server: %.0f %% of a core, %d MiB at most", used / max(0.001, seconds) * 100, server.peakKiB / 1024
        ))
    }
    for (status, count) in refused.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(count) answers with status \(status)")
    }
    for (mistake, count) in mistakes.sorted(by: { $0.value > $1.value }).prefix(5) {
      lines.append("  \(count) × \(mistake)")
    }
    if isGood { lines.append("  no error") }
    return lines.joined(separator: "\n")
  }
}
