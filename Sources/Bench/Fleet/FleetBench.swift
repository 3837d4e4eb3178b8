import Foundation
import Media
import NIOCore
import NIOPosix

/// Many cameras that send real stills to a server of its own, a child of this program, and viewers of all of them: what a
/// machine carries, what each camera costs, and what reaches its limit first.
///
/// The cameras and viewers are connections on this process's event loops.
package struct FleetBench: Sendable {
  /// How many cameras are compared with their stills, and how many have a viewer of each way of watching.
  private static let (compared, watched) = (4, 8)
  private static let token = "bench-token"
  private static let size = PictureSize(width: 640, height: 480)

  private let program: URL
  private let plan: FleetPlan
  private let settings: [(key: String, value: String)]
  private let other: (viewers: FleetAddress, cameras: FleetAddress, operatorToken: String)?
  private let settle: Duration
  private let length: Duration

  /// A bench of the server in the file `program`, or of another one.
  ///
  /// - Parameters:
  ///   - settings: of all cameras, as in the configuration.
  ///   - other: the public and the private address of a server that runs already, and its operator's token. The cameras
  ///     are added to it for the measurement.
  ///   - settle: how long the cameras send before the measurement.
  package init(
    program: URL, plan: FleetPlan, settings: [(key: String, value: String)],
    other: (viewers: FleetAddress, cameras: FleetAddress, operatorToken: String)? = nil, settle: Duration,
    length: Duration
  ) {
    (self.program, self.plan, self.settings, self.other) = (program, plan, settings, other)
    (self.settle, self.length) = (settle, length)
  }

  /// How far it is.
  package struct Progress: Sendable {
    package let cameras: Int
    /// Until the end.
    package let left: Duration
    package let stills: Int
    package let lateParts: Int
    package let level: Int?
  }

  /// Starts the server, has all cameras send, measures, and ends it.
  ///
  /// - Parameter onProgress: called about once a second.
  /// - Throws: `BenchFailure` if the server does not start or ends.
  package func run(onProgress: @Sendable (Progress) -> Void) async throws -> FleetResult {
    if let other {
      let server = FleetServer(
        viewers: other.viewers, cameras: other.cameras, operatorToken: other.operatorToken, process: nil)
      let names = (0..<plan.count).map(FleetPlan.name)
      let lines = [("token", Self.token)] + settings.map { ($0.key, $0.value) }
      let text = lines.map { "\($0): \($1)" }.joined(separator: "\n")
      do {
        try await server.add(names.map { ($0, text) })
        let result = try await measure(server, onProgress)
        await server.remove(names)
        return result
      } catch {
        await server.remove(names)
        throw error
      }
    }
    return try await withBenchFolder { folder in
      let file = folder.appending(path: "quietcam.yaml")
      var lines = ["store: memory"]
      if !settings.isEmpty { lines += ["defaults:"] + settings.map { "  \($0.key): \($0.value)" } }
      lines += ["cameras:"] + (0..<plan.count).map { "  \(FleetPlan.name($0)): {token: \(Self.token)}" }
      try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
      let process = try await ServerProcess(
        program: program, name: "serve", folder: folder, settings: [], configuration: file)
      do {
        guard let token = process.operatorToken else { throw BenchFailure("the server told no operator's token") }
        let server = FleetServer(
          viewers: FleetAddress(host: "127.0.0.1", port: process.publicPort),
          cameras: FleetAddress(host: "127.0.0.1", port: process.privatePort), operatorToken: token, process: process)
        let result = try await measure(server, onProgress)
        await process.stop()
        return result
      } catch {
        await process.stop()
        throw error
      }
    }
  }

  private func measure(_ server: FleetServer, _ onProgress: @Sendable (Progress) -> Void) async throws -> FleetResult {
    let group = MultiThreadedEventLoopGroup.singleton
    let boxes = Array(group.makeIterator()).map { NIOLoopBoundBox.makeBoxSendingValue(FleetTally(), eventLoop: $0) }
    let crowds = FleetCrowds(loops: Array(group.makeIterator()))
    // Long enough from now that all are connected.
    let start = NIODeadline.now() + .milliseconds(500 + 2 * Int64(plan.count))
    var channels: [any Channel] = []
    for camera in 0..<plan.count {
      let box = boxes[camera % boxes.count]
      let (isCompared, plan) = (camera < Self.compared, plan)
      channels.append(
        try await connect(server.cameras, box.eventLoop) {
          FleetCamera(
            plan, camera: camera, host: "\(server.cameras)", token: Self.token, start: start, isCompared: isCompared,
            tally: box)
        })
      channels.append(
        try await connect(server.viewers, box.eventLoop) {
          FleetWatcher(
            camera: camera, host: "\(server.viewers)", fetches: isCompared, isSameClock: server.isSameClock, tally: box)
        })
    }
    for camera in 0..<min(plan.count, Self.watched) {
      channels += try await crowds.connect(FleetPlan.name(camera), at: server.viewers)
    }
    var watch = FleetWatch()
    try await follow(server, boxes, for: settle, rest: length, &watch, onProgress)
    for box in boxes { try await box.eventLoop.submit { box.value.begin() }.get() }
    watch.begin()
    let began = NIODeadline.now()
    let before = try await server.reading()
    let (usage, own, bytes) = (try await server.usage(), CPUTime.process, try await crowds.bytes())
    try await follow(server, boxes, for: length, rest: .zero, &watch, onProgress)
    let elapsed = NIODeadline.now() - began
    let (usageAfter, ownAfter, bytesAfter) = (try await server.usage(), CPUTime.process, try await crowds.bytes())
    let after = try await server.reading()
    let tally = try await sum(boxes)
    let mistakes = tally.mistakes.merging(try await crowds.mistakes(), uniquingKeysWith: +)
    for channel in channels { channel.close(promise: nil) }
    let similarities = try FleetJudge(stills: plan.stills).similarities(tally.seen, sent: tally.sent, size: streamSize)
    let seconds = Double(elapsed.nanoseconds) / 1e9
    let troubles =
      watch.troubles
      + tally.first.map { kind, time in
        (kind.rawValue, Double(Int64(time) - Int64(began.uptimeNanoseconds)) / 1e9)
      }
    return FleetResult(
      cameras: plan.count, seconds: seconds,
      cores: server.process == nil ? nil : ProcessInfo.processInfo.activeProcessorCount, taken: tally.taken,
      shown: after.shown - before.shown, refused: tally.refused, unsent: tally.unsent,
      serverSeconds: usageAfter.seconds - usage.seconds,
      benchSeconds: Double(ownAfter - own) / 1e9, memoryKiB: watch.memoryKiB, lateness: tally.lateness.sorted(),
      lateParts: tally.lateParts,
      mediaBytes: Double(after.partBytes - before.partBytes) / seconds * 60 / Double(plan.count),
      viewerBytes: bytesAfter.merging(bytes, uniquingKeysWith: { $0 - $1 }).mapValues { Double($0) / seconds * 60 },
      pollingBytes: Double(plan.meanBytes) * 60 * Double(Ticks.perSecond) / Double(plan.every.count),
      similarity: similarities.isEmpty ? nil : similarities.reduce(0, +) / Double(similarities.count),
      leastSimilarity: similarities.min(), levels: watch.levels, lowestLevel: watch.load?.lowest,
      levelSettings: watch.load?.settings,
      troubles: troubles.sorted { $0.1 < $1.1 }.map { FleetResult.Trouble(what: $0.0, after: $0.1) },
      mistakes: mistakes, sentLate: tally.sentLate)
  }

  /// The size of the stream that the settings give.
  private var streamSize: PictureSize {
    settings.last { $0.key == "size" }.flatMap { PictureSize($0.value) } ?? Self.size
  }

  private func connect(
    _ address: FleetAddress, _ loop: any EventLoop, _ handler: @escaping @Sendable () -> some ChannelInboundHandler
  ) async throws -> any Channel {
    try await ClientBootstrap(group: loop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(.seconds(20))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
      }
      .connect(host: address.host, port: address.port).get()
  }

  /// Looks at the server about once a second for some time.
  private func follow(
    _ server: FleetServer, _ boxes: [NIOLoopBoundBox<FleetTally>], for time: Duration,
    rest: Duration, _ watch: inout FleetWatch, _ onProgress: @Sendable (Progress) -> Void
  ) async throws {
    let end = ContinuousClock.now + time
    var turn = 0
    while ContinuousClock.now < end {
      try await Task.sleep(for: min(.seconds(1), max(.zero, end - .now)))
      guard server.process?.hasEnded != true else {
        throw BenchFailure("quietcam serve ended; run it alone and look at its log")
      }
      // The status of hundreds of cameras is some work for both.
      turn += 1
      if turn % 3 == 1, let now = try? await server.reading() { watch.note(now.load) }
      watch.note(memoryKiB: try? await server.usage().memoryKiB)
      let tally = try await sum(boxes)
      onProgress(
        Progress(
          cameras: plan.count, left: max(.zero, end - .now) + rest, stills: tally.taken, lateParts: tally.lateParts,
          level: watch.load?.level))
    }
  }

  private func sum(_ boxes: [NIOLoopBoundBox<FleetTally>]) async throws -> FleetTally {
    var sum = FleetTally()
    for box in boxes { sum.add(try await box.eventLoop.submit { box.value }.get()) }
    return sum
  }
}

/// What the bench sees of the server in the course of a measurement.
private struct FleetWatch {
  private(set) var memoryKiB = 0
  /// The levels that were seen, each once for each change.
  private(set) var levels: [Int] = []
  private(set) var load: FleetReading.Load?
  private(set) var troubles: [(String, Double)] = []
  private var began = NIODeadline.now()

  mutating func begin() {
    began = .now()
    (memoryKiB, troubles) = (0, [])
    levels = load.map { [$0.level] } ?? []
  }

  mutating func note(memoryKiB now: Int?) { memoryKiB = max(memoryKiB, now ?? 0) }

  mutating func note(_ now: FleetReading.Load?) {
    guard let now else { return }
    if let before = load?.level, now.level > before {
      let after = Double((NIODeadline.now() - began).nanoseconds) / 1e9
      troubles.append(("\(FleetTrouble.Kind.stepDown.rawValue) to level \(now.level)", after))
    }
    if levels.last != now.level { levels.append(now.level) }
    load = now
  }
}
