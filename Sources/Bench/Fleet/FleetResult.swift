import Foundation
import Media

/// What a server did with the stills of a fleet of cameras, and what its viewers had of it.
package struct FleetResult: Sendable, Encodable {
  /// How many cameras there were.
  package let cameras: Int
  /// The time that was measured, in seconds, and the processors of the machine; `nil` where the server may run on another.
  let seconds: Double
  let cores: Int?
  /// Stills that were taken, shown, refused, and not sent because the one before was not answered.
  let taken: Int
  let shown: Int
  let refused: [Int: Int]
  let unsent: Int
  /// Processor time, in seconds: the server's, and that of this bench.
  let serverSeconds: Double
  let benchSeconds: Double
  /// The most memory of the server's own, in KiB.
  let memoryKiB: Int
  /// How late each part was, in milliseconds, in order; and how many were later than a tenth of their length.
  let lateness: [Int64]
  let lateParts: Int
  /// The mean bytes of media of a camera in a minute.
  let mediaBytes: Double
  /// The bytes of a viewer's minute, by the way of watching, and of one who polls the camera's own JPEGs.
  let viewerBytes: [String: Double]
  let pollingBytes: Double
  /// The similarity (SSIM) of what is shown to the stills, of some cameras: the mean, and the least.
  let similarity: Double?
  let leastSimilarity: Double?
  /// How far the server was stepped down during the measurement: the highest and lowest level, of how many, and what the
  /// last one was.
  let levels: [Int]
  let lowestLevel: Int?
  let levelSettings: String?
  /// What went wrong first, in the order of time, with the seconds since all cameras were there.
  let troubles: [Trouble]
  /// What else went wrong, and how often.
  let mistakes: [String: Int]
  /// Stills that this program sent late, because the machine was too busy for it.
  let sentLate: Int

  /// What went wrong and when it did first.
  struct Trouble: Sendable, Encodable {
    let what: String
    let after: Double
  }

  /// How many parts can be late in a measurement that is good: one in a thousand.
  private static let tolerated = 0.001

  /// The processor time of a still, in milliseconds.
  package var millisecondsPerStill: Double { serverSeconds * 1000 / Double(max(1, taken)) }

  /// The share of all processors that the server takes, and this bench; of one where it is not known how many there are.
  var serverShare: Double { serverSeconds / max(0.001, seconds * Double(cores ?? 1)) }
  var benchShare: Double { benchSeconds / max(0.001, seconds * Double(cores ?? 1)) }
  private var processors: String { cores.map { $0 == 1 ? "one core" : "\($0) cores" } ?? "a core" }

  /// Whether the server carried the cameras: parts came in time, and no still was refused.
  package var isCarried: Bool {
    Double(lateParts) <= Double(lateness.count) * Self.tolerated && refused.isEmpty && mistakes.isEmpty
      && !lateness.isEmpty
  }

  /// Whether the server was stepped down at any time.
  package var isSteppedDown: Bool { levels.contains { $0 > 0 } }

  /// Lateness at a percentile, in milliseconds.
  package func lateness(at percentile: Int) -> Int64 {
    lateness.isEmpty ? 0 : lateness[min(lateness.count - 1, lateness.count * percentile / 100)]
  }
}

extension FleetResult: CustomStringConvertible {
  /// Some lines for a terminal, with a statement at the end.
  package var description: String {
    func text(_ format: String, _ values: any CVarArg...) -> String { String(format: format, arguments: values) }
    func percent(_ share: Double) -> String { text("%.0f %%", share * 100) }
    var lines = [
      text("%d cameras, %.0f s: %d stills, %d shown", cameras, seconds, taken, shown),
      text("  processor: %.1f ms a still, ", millisecondsPerStill)
        + "\(percent(serverShare)) of \(processors); this bench \(percent(benchShare))",
      text(
        "  memory: %.1f MiB, %.1f MiB a camera", Double(memoryKiB) / 1024, Double(memoryKiB) / 1024 / Double(cameras)),
      "  lateness of \(lateness.count) parts: p50 \(lateness(at: 50)) ms, p99 \(lateness(at: 99)) ms, most "
        + "\(lateness.last ?? 0) ms; \(lateParts) later than a tenth of their length",
    ]
    let ways = viewerBytes.sorted { $0.value < $1.value }.map { way, bytes in
      text("%.1f kB ", bytes / 1000) + way + " (\(percent(bytes / max(1, pollingBytes))))"
    }
    lines.append(
      "  a viewer-minute: \(ways.joined(separator: ", ")), "
        + text("media alone %.1f kB; polling the JPEGs %.1f kB", mediaBytes / 1000, pollingBytes / 1000))
    if let similarity, let leastSimilarity {
      lines.append(text("  similarity to the stills (SSIM): %.4f, least %.4f", similarity, leastSimilarity))
    }
    if isSteppedDown, let lowestLevel, let levelSettings, let first = levels.min(), let last = levels.max() {
      let range = first == last ? "\(last)" : "\(first) to \(last)"
      lines.append("  stepped down: level \(range) of \(lowestLevel), at the end \(levelSettings)")
    }
    for (status, count) in refused.sorted(by: { $0.key < $1.key }) {
      lines.append("  \(count) stills were refused with status \(status)")
    }
    for (mistake, count) in mistakes.sorted(by: { $0.value > $1.value }).prefix(5) {
      lines.append("  \(count) × \(mistake)")
    }
    if sentLate * 100 > taken {
      lines.append("  \(sentLate) stills were sent late: the machine was too busy for this bench")
    }
    for trouble in troubles.prefix(3) { lines.append(text("  after %.0f s ", trouble.after) + trouble.what) }
    lines.append(statement)
    return lines.joined(separator: "\n")
  }

  /// What the machine carries, in one sentence.
  package var statement: String {
    let load = "the server takes \(Int((serverShare * 100).rounded())) % of \(processors)"
    guard isCarried else {
      let why =
        lateness.isEmpty
        ? "no part came"
        : !refused.isEmpty
          ? "stills were refused"
          : !mistakes.isEmpty
            ? "connections failed" : "\(lateParts) of \(lateness.count) parts were later than a tenth of their length"
      return "This machine does not carry \(cameras) cameras: \(why); \(load)."
    }
    guard isSteppedDown, let levelSettings else {
      // The rest of the machine is for viewers and for pictures that cost more than the mean.
      let room = Int(Double(cameras) * 0.85 / max(0.001, serverShare))
      let more = cores != nil && room > cameras ? " It would have room for about \(room)." : ""
      return "This machine carries \(cameras) cameras at full quality: \(load).\(more)"
    }
    return "This machine carries \(cameras) cameras, stepped down (\(levelSettings)): \(load)."
  }
}
