import Foundation
import Media
import Synchronization

/// The part of a bandwidth bench that runs in real time: viewers of all ways side by side.
struct Measuring: Sendable {
  /// What was counted and recorded.
  struct Outcome: Sendable {
    var perMinute: [Way: WireBytes] = [:]
    var joins: [Way: WireBytes] = [:]
    var records: [Way: ViewLog.Record] = [:]
    /// What viewers who poll at other phases saw; used for their latency only.
    var others: [Way: [ViewLog.Record]] = [:]
    var troubles: [Way: (count: Int, last: String?)] = [:]
    var player = WireBytes()
    var checks: [BandwidthResult.Check] = []
    /// The steady time that the figures are from.
    var window: Range<ContinuousClock.Instant>
  }

  let options: BandwidthBench.Options
  let venue: Venue
  let ways: [Way]
  let segment: Ticks
  let window: Ticks
  let feed: StillFeed
  let folder: URL
  let progress: @Sendable (String) -> Void

  /// How many phases of the interval viewers who poll are spread over.
  private static let phases: Int64 = 4

  /// Warms up, measures, and ends.
  ///
  /// - Throws: `BenchFailure`, `CancellationError`.
  func run() async throws -> Outcome {
    let viewers = ways.compactMap { way in
      venue.port(of: way).map { SimulatedViewer(way, port: $0, venue: venue, isJudged: true) }
    }
    let others = (1..<Self.phases).flatMap { place in
      ways.filter(\.isPolling).compactMap { way in
        let phase = Ticks(options.every.count * place / Self.phases)
        return venue.port(of: way).map { SimulatedViewer(way, port: $0, venue: venue, isJudged: true, phase: phase) }
      }
    }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      // A viewer of a camera that is off has seen its loop when measuring begins.
      for viewer in viewers where !viewer.way.isLive { group.addTask { await viewer.watch() } }
      let length = segment * -((Ticks.zero - options.duration).floorDivided(by: segment))
      // A short run is a trial, and nobody needs fine differences from it.
      let isTrial = length < .seconds(60)
      let round = ways.contains { $0 == .offCached || $0 == .offCachedFrames } && !isTrial ? window + segment : .zero
      try await wait(max(options.warmUp, round).duration, "warming up")
      for viewer in viewers + others where viewer.way.isLive {
        group.addTask {
          await waitForPlaylist(of: viewer.way)
          await viewer.watch()
        }
      }
      // A viewer's start is left out, and half an interval more, so that no request is at either end of the measured
      // time.
      try await wait((Ticks.seconds(isTrial ? 4 : 8) + Ticks(options.every.count / 2)).duration, "viewers join")
      let start = ContinuousClock.now
      let before = viewers.map(\.tab.client.tally.bytes)
      async let joins = JoinMeter(venue: venue).run(
        ways, count: max(1, min(8, Int(length.milliseconds / 12_000))), window: length.duration)
      try await wait(length.duration, "measuring")
      let after = viewers.map(\.tab.client.tally.bytes)
      var outcome = Outcome(window: start..<ContinuousClock.now)
      for (index, viewer) in viewers.enumerated() {
        outcome.perMinute[viewer.way] = (after[index] - before[index]).scaled(60_000, over: Int(length.milliseconds))
      }
      outcome.joins = await joins
      // The viewers that are far behind have not received the last stills yet.
      try await wait(.seconds(isTrial ? 7 : 13), "waiting for the last segments")
      if options.isVerified { outcome.checks = try await verify(viewers) }
      let tab = venue.tab(port: venue.quietcam)
      outcome.player = (try? await PlayerCost.measure(tab, page: "/\(ServerProcess.camera)/")) ?? WireBytes()
      await tab.client.close()
      group.cancelAll()
      for viewer in viewers {
        await viewer.tab.client.close()
        outcome.records[viewer.way] = viewer.tab.log?.all
        outcome.troubles[viewer.way] = viewer.trouble
      }
      for viewer in others {
        await viewer.tab.client.close()
        if let record = viewer.tab.log?.all { outcome.others[viewer.way, default: []].append(record) }
      }
      return outcome
    }
  }

  /// A page that plays HLS is visited once there is something to play.
  private func waitForPlaylist(of way: Way) async {
    guard SegmentingProgram.Form.all.contains(where: { $0.way == way }) else { return }
    let file = folder.appending(path: "\(way.rawValue)/index.m3u8").path
    while !Task.isCancelled, !FileManager.default.fileExists(atPath: file) {
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// Compares the kernel's counts with ours, over whole connections. Bytes move between the two readings, so both are
  /// read again until nothing moved.
  private func verify(_ viewers: [SimulatedViewer]) async throws -> [BandwidthResult.Check] {
    var checks: [BandwidthResult.Check] = []
    for viewer in viewers {
      for attempt in 0..<6 {
        let before = viewer.tab.client.tally.now
        guard let ports = await viewer.tab.client.ports else { break }
        let kernel = try await SocketCheck.now().bytes(ofPorts: ports)
        let after = viewer.tab.client.tally.now
        guard before == after || attempt == 5 else {
          try await Task.sleep(for: .milliseconds(150))
          continue
        }
        if let kernel {
          checks.append(
            BandwidthResult.Check(way: viewer.way, counted: after.socketDown + after.socketUp, kernel: kernel))
        }
        break
      }
    }
    return checks
  }

  private func wait(_ duration: Duration, _ what: String) async throws {
    let end = ContinuousClock.now + duration
    while true {
      let left = end - .now
      guard left > .zero else { return }
      progress("\(what), \(Int(left.inSeconds.rounded(.up))) s to go")
      try await Task.sleep(for: min(left, .seconds(1)))
    }
  }
}
