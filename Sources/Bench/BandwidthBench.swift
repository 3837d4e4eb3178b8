import Foundation
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import Picture

/// Measures what each way of showing a still camera costs a viewer: real stills through the real server, real HTTP over
/// real sockets, every byte counted, all ways at the same time.
package struct BandwidthBench: Sendable {
  /// What is measured and how.
  package struct Options: Sendable {
    /// The time between stills.
    package var every = Ticks.seconds(2)
    /// How long the steady state is measured; extended to whole segments, each of which has one complete picture.
    package var duration = Ticks.seconds(120)
    /// How long stills are pushed before the first viewer comes.
    package var warmUp = Ticks.seconds(24)
    /// Whether all requests use HTTP/2 in TLS.
    package var isHTTP2 = false
    /// Whether the kernel's counts are read beside ours.
    package var isVerified = false
    /// Settings of the server, by their keys.
    package var settings: [(key: String, value: String)] = []
    /// The ways to measure.
    package var ways = Way.allCases

    /// Two minutes of everything over HTTP/1.1.
    package init() {}
  }

  private let options: Options
  private let program: URL
  private let progress: @Sendable (String) -> Void

  /// A bench of the server in the file `program`.
  ///
  /// - Parameter progress: gets a text about what is being done, once a second.
  package init(_ options: Options, program: URL, progress: @escaping @Sendable (String) -> Void) {
    (self.options, self.program, self.progress) = (options, program, progress)
  }

  /// Runs all ways in real time, then compares the pictures that were seen.
  ///
  /// - Throws: `BenchFailure`, `WireError`.
  package func run(_ set: StillSet) async throws -> BandwidthResult {
    signal(SIGPIPE, SIG_IGN)
    return try await withBenchFolder { folder in
      let stage = try await Stage(set, options: options, program: program, folder: folder)
      do {
        let result = try await run(set, on: stage, folder: folder)
        await stage.close()
        return result
      } catch {
        await stage.close()
        throw error
      }
    }
  }

  private func run(_ set: StillSet, on stage: Stage, folder: URL) async throws -> BandwidthResult {
    let hub = StillHub()
    let feed = StillFeed(stills: set.stills, every: options.every, hub: hub)
    let (ports, portQueue) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
    let plain = PlainServer(folder: folder, hub: hub, tls: stage.serverTLS)
    let facts = try await stage.facts()
    var wanted = options.ways
    let plainHLS = SegmentingProgram.Form.all.map(\.way)
    var segmenting: SegmentingProgram?
    if ExternalProgram.ffmpeg.isInstalled, wanted.contains(where: plainHLS.contains) {
      let (crf, preset) = (options.value("crf"), options.value("preset"))
      segmenting = try SegmentingProgram(
        folder: folder, size: facts.size, crf: crf.flatMap { Int($0) } ?? EncoderSettings().crf,
        preset: preset ?? EncoderSettings().preset.rawValue)
    } else {
      wanted.removeAll(where: plainHLS.contains)
    }
    let program = segmenting
    return try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      group.addTask { try await plain.run { portQueue.yield($0) } }
      guard let plainPort = await ports.first(where: { _ in true }) else {
        throw BenchFailure("the plain web server did not start")
      }
      let venue = Venue(
        quietcam: stage.server.publicPort, plain: plainPort, off: stage.off.mapValues(\.publicPort),
        tls: stage.clientTLS, every: options.every)
      group.addTask { try await feed.push(toPort: stage.server.privatePort) }
      if let program {
        group.addTask { try await program.run() }
        group.addTask { try await feed.feed(program) }
      }
      let listener = venue.tab(port: venue.quietcam)
      group.addTask {
        let lines = EventLines { event, _ in if event == "still" { feed.noteAnnouncement() } }
        _ = try? await listener.client.get("/\(ServerProcess.camera)/events", .playlist, by: .events) { lines.take($0) }
      }
      let measuring = Measuring(
        options: options, venue: venue, ways: wanted.filter { venue.port(of: $0) != nil }, segment: facts.segment,
        window: facts.window, feed: feed, folder: folder, progress: progress)
      // Anything else that ends first has failed.
      let outcome = NIOLockedValueBox<Measuring.Outcome?>(nil)
      group.addTask {
        let found = try await measuring.run()
        outcome.withLockedValue { $0 = found }
      }
      try await group.next()
      await listener.client.close()
      guard let outcome = outcome.withLockedValue({ $0 }) else {
        throw BenchFailure("a server of the bench ended too early")
      }
      return try await conclude(outcome, set: set, stage: stage, facts: facts, timeline: feed.noted, folder: folder)
    }
  }

  /// Compares the pictures and computes the figures.
  private func conclude(
    _ outcome: Measuring.Outcome, set: StillSet, stage: Stage, facts: Stage.Facts, timeline: StillTimeline, folder: URL
  ) async throws -> BandwidthResult {
    progress("comparing the pictures")
    let judge =
      ExternalProgram.ffmpeg.isInstalled ? try await QualityJudge(set, size: facts.size, folder: folder) : nil
    let window = timeline.pushes.indices.filter { outcome.window.contains(timeline.pushes[$0].began) }
    let pushes = (window.first ?? 0)..<(window.last.map { $0 + 1 } ?? 0)
    let marks = try await judge?.marksOfStills(pushes.map { timeline.pushes[$0].still })
    let polling = outcome.perMinute[.cameraPolling]?.total
    var entries: [BandwidthResult.Entry] = []
    for way in options.ways {
      var entry = BandwidthResult.Entry(way)
      entry.perMinute = outcome.perMinute[way]
      entry.join = outcome.joins[way]
      entry.playerBytes = way.needsPlayer ? outcome.player.total : 0
      entry.problem = stage.problems[way]
      if entry.perMinute == nil, entry.problem == nil { entry.problem = "ffmpeg is not installed" }
      entry.restarts = outcome.troubles[way]?.count ?? 0
      if entry.restarts > 0, entry.problem == nil, let words = outcome.troubles[way]?.last {
        entry.problem = "started again \(entry.restarts) times: \(words)"
      }
      entry.conclude(polling: polling)
      if way.isLive, let record = outcome.records[way] {
        let viewing = try await Viewing.read(
          record, others: outcome.others[way] ?? [], way: way, timeline: timeline, window: pushes, set: set,
          step: facts.step, part: facts.part, judge: judge)
        entry.ssimToStill = viewing.toStills?.ssim
        entry.ssimToScene = viewing.toScenes?.ssim
        entry.vmaf = (viewing.toScenes ?? viewing.toStills)?.vmaf
        entry.shown = viewing.pushes.count
        let sorted = viewing.latencies.sorted()
        if !sorted.isEmpty {
          entry.latency = sorted[sorted.count / 2].inSeconds
          entry.latency95 = sorted[min(sorted.count - 1, sorted.count * 95 / 100)].inSeconds
        }
      }
      entries.append(entry)
    }
    return BandwidthResult(
      source: set.name, stills: set.stills.count, stillBytes: set.meanBytes, every: options.every.duration.inSeconds,
      seconds: (outcome.window.upperBound - outcome.window.lowerBound).inSeconds, pushed: pushes.count,
      transport: options.isHTTP2 ? "HTTP/2 in TLS" : "HTTP/1.1",
      settings: options.settings.map { "\($0.key)=\($0.value)" }.joined(separator: " "), ssimOfStills: marks?.ssim,
      part: facts.part.duration.inSeconds, segment: facts.segment.duration.inSeconds,
      warning: timeline.complaint(about: pushes), entries: entries,
      checks: outcome.checks)
  }
}

extension BandwidthBench.Options {
  /// The value of one of the server's settings, if it was given.
  func value(_ key: String) -> String? { settings.last { $0.key == key }?.value }
}

extension Duration {
  /// For people, and for files that other programs read.
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
