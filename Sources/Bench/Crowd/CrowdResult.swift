import Foundation
import Media

/// What a crowd of viewers saw.
package struct CrowdResult: Sendable {
  /// How they watched.
  package let way: CrowdWay
  /// How many viewers there were at a time, how many came in all, how many of these got media, and how many left.
  package let asked: Int
  package let came: Int
  package let joined: Int
  package let left: Int
  /// Connections that the server closed between two answers, and that were opened again.
  package let reopened: Int
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
  /// How long after they came viewers had their first media.
  private let firstMedia: CrowdWaits
  /// How long a part is; `nil` where nobody waits for them.
  private let part: Ticks?
  /// What the server took of all processors, where it runs as a child of this program, and what this program took.
  private let share: CrowdLoad.Share
  private let cores: Int
  private let peakKiB: Int
  private let limits: CrowdLimits

  init(
    _ options: ViewersBench.Options, before: CrowdTally, after: CrowdTally, refusedConnections: Int,
    elapsed: Duration, load: CrowdLoad, limits: CrowdLimits
  ) {
    (way, asked, self.elapsed, self.limits) = (options.way, options.count, elapsed, limits)
    (came, joined, left, reopened, part) = (after.came, after.joined, after.left, after.reopened, after.part)
    playlists = after.playlists - before.playlists
    media = after.media - before.media
    bytes = after.bytes - before.bytes
    refused = after.refused
    var mistakes = after.mistakes
    if refusedConnections > 0 { mistakes["a connection was refused", default: 0] += refusedConnections }
    self.mistakes = mistakes
    spread = CrowdSpread(
      after.arrivals.filter { before.arrivals[$0.key] == nil }, viewers: min(after.joined, options.count))
    var firstMedia = CrowdWaits()
    for time in after.firstMedia { firstMedia.add(microseconds: time) }
    self.firstMedia = firstMedia
    (share, cores, peakKiB) = (load.whole, load.cores, load.peakKiB)
  }

  /// Whether all viewers saw everything, and there was something to see.
  package var isGood: Bool { hasNoError && media > 0 }

  private var hasNoError: Bool { refused.isEmpty && mistakes.isEmpty && joined == came && came >= asked }

  /// Whether the last viewers had the parts so late that a player with three parts in its buffer is near to a stall.
  /// Viewers of whole segments look for them at times of their own.
  private var isLate: Bool {
    guard way != .plain, let part, spread.count > 0 else { return false }
    return spread.wait(at: 99) * 2 > part.milliseconds
  }
}

extension CrowdResult: CustomStringConvertible {
  /// Some lines for a terminal, with a statement at the end.
  package var description: String {
    let seconds = elapsed.inSeconds
    func each(_ count: Int) -> String { String(format: "%.0f", Double(count) / max(0.001, seconds)) }
    var lines = [
      "\(joined) of \(max(asked, came)) \(way.text), \(String(format: "%.0f", seconds)) s",
      "  \(each(playlists)) playlists/s, \(each(media)) media/s, \(each(bytes / 1000)) kB/s, "
        + String(
          format: "%.1f kB a viewer-minute",
          Double(bytes) / 1000 / max(0.001, seconds) * 60 / Double(max(1, min(joined, asked)))),
    ]
    if left > 0 {
      lines.append(
        "  \(left) left while others came; first media after p50 \(firstMedia.milliseconds(at: 50)) ms, p99 "
          + "\(firstMedia.milliseconds(at: 99)) ms")
    }
    if reopened > 0 { lines.append("  \(reopened) × the server closed a connection between two answers") }
    if spread.count > 0 {
      lines.append(
        "  first to last viewer of \(spread.count) names of media: median \(spread.span.median) ms, most "
          + "\(spread.span.most) ms; after the first: p50 \(spread.wait(at: 50)) ms, p99 \(spread.wait(at: 99)) ms")
    }
    if let server = share.server {
      lines.append("  server: \(percent(server * cores)) of a core, \(peakKiB / 1024) MiB at most")
    }
    lines.append("  this bench: \(percent(share.bench * cores)) of a core, of \(cores)")
    for (status, count) in refused.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(count) answers with status \(status)")
    }
    for (mistake, count) in mistakes.sorted(by: { $0.value > $1.value }).prefix(5) {
      lines.append("  \(count) × \(mistake)")
    }
    if hasNoError { lines.append("  no error") }
    for limit in limits.reached.prefix(3) {
      lines.append(String(format: "  after %.0f s ", limit.after.inSeconds) + limit.words)
    }
    return (lines + [statement]).joined(separator: "\n")
  }

  /// What is carried, in one sentence.
  package var statement: String {
    let whose = share.server == nil ? "This server" : "This machine"
    let taken =
      share.server.map { "; the server takes \(percent($0)) of the machine, this bench \(percent(share.bench))" } ?? ""
    if hasNoError, media == 0 {
      return "No whole media came while all watched, so this says nothing. Watch for longer with --for"
        + (share.server != nil && way != .photos ? ", or shorten the segments with --set segment=4." : ".")
    }
    guard hasNoError, !isLate else {
      let why =
        !hasNoError
        ? limits.reached.first?.words ?? "\(max(0, came - joined)) viewers got nothing"
        : "the slowest hundredth has the media \(spread.wait(at: 99)) ms after the first, more than half a part"
      return "\(whose) does not carry \(asked) viewers. What gave first: \(why)\(taken)."
    }
    let last = spread.count > 0 && way != .plain ? ": the last has a part \(spread.span.median) ms after the first" : ""
    return "\(whose) carries \(asked) viewers\(last)\(taken)."
  }

  private func percent(_ thousandths: Int) -> String { "\((thousandths + 5) / 10) %" }
}
