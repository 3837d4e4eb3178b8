import Synchronization

/// Measures what joining costs: visitors come one after another, each with an empty cache and at another moment, and
/// leave after five seconds.
struct JoinMeter: Sendable {
  /// How long a visitor's first seconds are.
  static let stay = Duration.seconds(5)

  let venue: Venue

  /// Sends `count` visitors within `window` to each way.
  ///
  /// - Returns: the mean bytes of a visit.
  func run(_ ways: [Way], count: Int, window: Duration) async -> [Way: WireBytes] {
    await withTaskGroup(of: (Way, WireBytes).self) { group in
      let start = ContinuousClock.now
      let room = max(.zero, window - Self.stay - .seconds(1))
      for (place, way) in ways.enumerated() {
        guard let port = venue.port(of: way) else { continue }
        for visit in 0..<count {
          // The ways one after another too, so that they do not all start at once.
          let wait = room * visit / count + room * place / (count * ways.count)
          group.addTask {
            try? await Task.sleep(until: start + wait, clock: .continuous)
            return (way, await visitBytes(way, port: port))
          }
        }
      }
      var visits: [Way: [WireBytes]] = [:]
      for await (way, bytes) in group { visits[way, default: []].append(bytes) }
      return visits.mapValues { WireBytes.mean(of: $0) }
    }
  }

  private func visitBytes(_ way: Way, port: Int) async -> WireBytes {
    let viewer = SimulatedViewer(way, port: port, venue: venue, isJudged: false)
    return await withTaskGroup(of: Void.self) { group in
      group.addTask { await viewer.watch() }
      try? await Task.sleep(for: Self.stay)
      let bytes = viewer.tab.client.tally.bytes
      group.cancelAll()
      await viewer.tab.client.close()
      return bytes
    }
  }
}

extension WireBytes {
  /// The same bytes with each kind scaled by `numerator / denominator`.
  func scaled(_ numerator: Int, over denominator: Int) -> WireBytes {
    var scaled = self
    for field in [\WireBytes.media, \.playlists, \.headers, \.requests, \.framing] {
      scaled[keyPath: field] = (self[keyPath: field] * numerator + denominator / 2) / max(1, denominator)
    }
    return scaled
  }

  /// The mean of some.
  static func mean(of all: [WireBytes]) -> WireBytes {
    var sum = WireBytes()
    for bytes in all {
      for field in [\WireBytes.media, \.playlists, \.headers, \.requests, \.framing] {
        sum[keyPath: field] += bytes[keyPath: field]
      }
    }
    return sum.scaled(1, over: max(1, all.count))
  }
}
