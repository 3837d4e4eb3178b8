import Foundation
import Media
import NIOCore
import NIOPosix

/// Many cameras that send real stills to a server of its own, a child of this program, and viewers of all of them: what a
/// machine carries, what each camera costs, and what gives first.
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
  private let settle: Duration
  private let length: Duration

  /// A bench of the server in the file `program`.
  ///
  /// - Parameters:
  ///   - settings: of all cameras, as in the configuration.
  ///   - settle: how long the cameras send before the measurement.
  package init(
    program: URL, plan: FleetPlan, settings: [(key: String, value: String)], settle: Duration, length: Duration
  ) {
    (self.program, self.plan, self.settings) = (program, plan, settings)
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
    try await withBenchFolder { folder in
      let file = folder.appending(path: "quietcam.yaml")
      var lines = ["store: memory"]
      if !settings.isEmpty { lines += ["defaults:"] + settings.map { "  \($0.key): \($0.value)" } }
      lines += ["cameras:"] + (0..<plan.count).map { "  \(FleetPlan.name($0)): {token: \(Self.token)}" }
      try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
      let server = try await ServerProcess(
        program: program, name: "serve", folder: folder, settings: [], configuration: file)
      do {
        let result = try await measure(server, onProgress)
        await server.stop()
        return result
      } catch {
        await server.stop()
        throw error
      }
    }
  }

  private func measure(_ server: ServerProcess, _ onProgress: @Sendable (Progress) -> Void) async throws -> FleetResult
  {
    guard let token = server.operatorToken else { throw BenchFailure("the server told no operator's token") }
    let group = MultiThreadedEventLoopGroup.singleton
    let boxes = Array(group.makeIterator()).map { NIOLoopBoundBox.makeBoxSendingValue(FleetTally(), eventLoop: $0) }
    let crowds = FleetCrowds(loops: Array(group.makeIterator()))
    // Long enough from now that all are connected.
    let start = NIODeadline.now() + .milliseconds(500 + 2 * Int64(plan.count))
    var channels: [any Channel] = []
    for camera in 0..<plan.count {
      let box = boxes[camera % boxes.count]
      let (isCompared, plan) = (camera < Self.compared, plan)
      let (sending, viewing) = ("127.0.0.1:\(server.privatePort)", "127.0.0.1:\(server.publicPort)")
      channels.append(
        try await connect(server.privatePort, box.eventLoop) {
          FleetCamera(
            plan, camera: camera, host: sending, token: Self.token, start: start, isCompared: isCompared, tally: box)
        })
      channels.append(
        try await connect(server.publicPort, box.eventLoop) {
          FleetWatcher(camera: camera, host: viewing, fetches: isCompared, isSameClock: true, tally: box)
        })
    }
    for camera in 0..<min(plan.count, Self.watched) {
      channels += try await crowds.connect(FleetPlan.name(camera), port: server.publicPort)
    }
    var watch = FleetWatch()
    try await follow(server, token, boxes, for: settle, rest: length, &watch, onProgress)
    for box in boxes { try await box.eventLoop.submit { box.value.begin() }.get() }
    watch.begin()
    let began = NIODeadline.now()
    let before = try await FleetReading.read(port: server.privatePort, token: token)
    let (cpu, own, bytes) = (server.processorTime, CPUTime.process, try await crowds.bytes())
    try await follow(server, token, boxes, for: length, rest: .zero, &watch, onProgress)
    let elapsed = NIODeadline.now() - began
    let (cpuAfter, ownAfter, bytesAfter) = (server.processorTime, CPUTime.process, try await crowds.bytes())
    let after = try await FleetReading.read(port: server.privatePort, token: token)
    let tally = try await sum(boxes)
    for channel in channels { channel.close(promise: nil) }
    let similarities = try FleetJudge(stills: plan.stills).similarities(tally.seen, sent: tally.sent, size: streamSize)
    let seconds = Double(elapsed.nanoseconds) / 1e9
    let server = cpu.flatMap { cpu in cpuAfter.map { $0 - cpu } } ?? .zero
    let troubles =
      watch.troubles
      + tally.first.map { kind, time in
        (kind.rawValue, Double(Int64(time) - Int64(began.uptimeNanoseconds)) / 1e9)
      }
    return FleetResult(
      cameras: plan.count, seconds: seconds, cores: ProcessInfo.processInfo.activeProcessorCount, taken: tally.taken,
      shown: after.shown - before.shown, refused: tally.refused, unsent: tally.unsent,
      serverSeconds: Double(server.components.seconds) + Double(server.components.attoseconds) / 1e18,
      benchSeconds: Double(ownAfter - own) / 1e9, memoryKiB: watch.memoryKiB, lateness: tally.lateness.sorted(),
      lateParts: tally.lateParts,
      mediaBytes: Double(after.partBytes - before.partBytes) / seconds * 60 / Double(plan.count),
      viewerBytes: bytesAfter.merging(bytes, uniquingKeysWith: { $0 - $1 }).mapValues { Double($0) / seconds * 60 },
      pollingBytes: Double(plan.meanBytes) * 60 * Double(Ticks.perSecond) / Double(plan.every.count),
      similarity: similarities.isEmpty ? nil : similarities.reduce(0, +) / Double(similarities.count),
      leastSimilarity: similarities.min(), levels: watch.levels, lowestLevel: watch.load?.lowest,
      levelSettings: watch.load?.settings,
      troubles: troubles.sorted { $0.1 < $1.1 }.map { FleetResult.Trouble(what: $0.0, after: $0.1) },
      mistakes: tally.mistakes.merging(try await crowds.mistakes(), uniquingKeysWith: +), sentLate: tally.sentLate)
  }

  /// The size of the stream that the settings give.
  private var streamSize: PictureSize {
    settings.last { $0.key == "size" }.flatMap { PictureSize($0.value) } ?? Self.size
  }

  private func connect(
    _ port: Int, _ loop: any EventLoop, _ handler: @escaping @Sendable () -> some ChannelInboundHandler
  ) async throws -> any Channel {
    try await ClientBootstrap(group: loop)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .connectTimeout(.seconds(20))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler()) }
      }
      .connect(host: "127.0.0.1", port: port).get()
  }

  /// Looks at the server about once a second for some time.
  private func follow(
    _ server: ServerProcess, _ token: String, _ boxes: [NIOLoopBoundBox<FleetTally>], for time: Duration,
    rest: Duration, _ watch: inout FleetWatch, _ onProgress: @Sendable (Progress) -> Void
  ) async throws {
    let end = ContinuousClock.now + time
    var turn = 0
    while ContinuousClock.now < end {
      try await Task.sleep(for: min(.seconds(1), max(.zero, end - .now)))
      guard !server.hasEnded else { throw BenchFailure("quietcam serve ended; run it alone and look at its log") }
      // The status of hundreds of cameras is some work for both.
      turn += 1
      if turn % 3 == 1, let now = try? await FleetReading.read(port: server.privatePort, token: token) {
        watch.note(now.load)
      }
      watch.note(memoryKiB: server.ownKiB)
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
