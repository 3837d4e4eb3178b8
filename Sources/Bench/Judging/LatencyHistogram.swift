import Foundation

/// How long stills took to reach a viewer in one way.
package struct LatencyHistogram: Codable, Sendable {
  /// The way.
  package var name: String
  /// Milliseconds from the push of each still until it was there, in the order of arrival.
  package var samples: [Int] = []
  /// How often the way stalled: a player that waited for media, or no new picture for too long.
  package var stalls = 0

  /// A way without samples yet.
  package init(name: String) { self.name = name }

  /// The sample at this percentile (nearest rank); `nil` without samples.
  package func percentile(_ percent: Int) -> Int? {
    guard !samples.isEmpty else { return nil }
    let rank = (percent * samples.count + 99) / 100
    return samples.sorted()[min(max(rank, 1), samples.count) - 1]
  }

  /// How many samples are in each quarter second from 0 on.
  package var quarters: [Int] {
    var counts = [Int](repeating: 0, count: (samples.max() ?? 0) / 250 + 1)
    for sample in samples { counts[max(0, sample) / 250] += 1 }
    return counts
  }
}

extension LatencyHistogram: CustomStringConvertible {
  /// One line of numbers and one bar for each quarter second that has samples.
  package var description: String {
    func seconds(_ value: Int?) -> String { value.map { String(format: "%.2f s", Double($0) / 1000) } ?? "-" }
    var lines = [
      name.padding(toLength: max(34, name.count), withPad: " ", startingAt: 0)
        + " median \(seconds(percentile(50)))  p95 \(seconds(percentile(95)))  max \(seconds(samples.max()))"
        + "  stalls \(stalls)  (\(samples.count) stills)"
    ]
    let most = quarters.max() ?? 0
    for (index, count) in quarters.enumerated() where count > 0 && !samples.isEmpty {
      let bar = String(repeating: "#", count: max(1, count * 40 / max(1, most)))
      lines.append(String(format: "  %6.2f s ", Double(index) / 4) + bar + " \(count)")
    }
    return lines.joined(separator: "\n")
  }
}
