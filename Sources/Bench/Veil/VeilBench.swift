import Foundation
import Media
import NIOConcurrencyHelpers

/// Attacks the veil with what every viewer has: watches live and veiled stretches in turn, and asks of each feature
/// whether it tells them apart.
package struct VeilBench: Sendable {
  /// How long it watches.
  package struct Plan: Sendable {
    /// How many stretches of each kind: live, live as the control, veiled.
    package var stretches = 3
    package var length = Ticks.seconds(40)
    package var window = Ticks.seconds(8)
    package var seed: UInt64 = 1

    package init() {}
  }

  /// A server of its own with a camera.
  package struct Rig: Sendable {
    package var part = "1"
    package var segment = "4"
    package var size = "640x480"
    package var every = Ticks.milliseconds(1550)
    package var jitter = Ticks.milliseconds(100)
    /// How much of the camera becomes the loop.
    package var recording = Ticks.seconds(60)

    package init() {}
  }

  /// What was done and seen, so that it can be judged again.
  package struct Record: Sendable, Codable {
    package var seen: VeilSightings
    package var stretches: [VeilStretch]
    package var sent: [Int64]
    package var window: Int64
    package var seed: UInt64

    /// The judgement.
    package func judge() -> VeilResult {
      VeilResult.judge(seen, stretches, window: window, sent: sent, seed: seed)
    }
  }

  private static let token = "bench-operator"
  private let plan: Plan
  private let progress: @Sendable (String) -> Void

  /// A bench that tells what it does.
  package init(plan: Plan, progress: @escaping @Sendable (String) -> Void) {
    self.plan = plan
    self.progress = progress
  }

  // MARK: A server of its own

  /// Starts a server, plays a camera to it, records the loop from it, and attacks it.
  ///
  /// - Throws: `BenchFailure`.
  package func run(_ program: URL, _ rig: Rig, stills: StillSet) async throws -> Record {
    try await withBenchFolder { folder in
      let store = folder.appending(path: "store").path
      let settings = ["--size", rig.size, "--part", rig.part, "--segment", rig.segment]
      let server = try await ServerProcess(
        program: program, name: "serve", folder: folder, store: store,
        settings: settings + ["--steady", "0", "--operator-token", Self.token])
      do {
        let record = try await attack(server, program, rig, stills, settings + ["--store", store])
        await server.stop()
        return record
      } catch {
        await server.stop()
        throw error
      }
    }
  }

  private func attack(
    _ server: ServerProcess, _ program: URL, _ rig: Rig, _ stills: StillSet, _ settings: [String]
  ) async throws -> Record {
    let clock = VeilObserver.Clock()
    let ingest = "http://127.0.0.1:\(server.privatePort)"
    let camera = VeilCamera(
      url: "\(ingest)/ingest/\(ServerProcess.camera)", token: ServerProcess.token, stills: stills.stills,
      every: rig.every, jitter: rig.jitter, seed: plan.seed, clock: clock)
    guard let address = URL(string: "http://127.0.0.1:\(server.publicPort)/\(ServerProcess.camera)/") else {
      throw BenchFailure("no address")
    }
    return try await withThrowingTaskGroup(of: Record?.self) { group in
      group.addTask {
        try await camera.run()
        return nil
      }
      group.addTask {
        progress("recording the loop for \(rig.recording)")
        try await Task.sleep(for: (rig.recording + .seconds(2)).duration)
        let command =
          ["loop", "--record", "\(rig.recording.secondsText)s", "--server", ingest, "--camera", ServerProcess.camera]
          + ["--operator-token", Self.token]
        _ = try await ExternalProgram(program).output(command + settings)
        let owner = VeilOperator(address: ingest, camera: ServerProcess.camera, token: Self.token)
        var record = try await attack(address, owner, clock: clock)
        record.sent = camera.sent
        return record
      }
      defer { group.cancelAll() }
      while let result = try await group.next() { if let result { return result } }
      throw BenchFailure("nothing was measured")
    }
  }

  // MARK: The attack

  /// Watches a camera that is on and has a loop, and orders veils meanwhile. At the end it is unveiled.
  ///
  /// - Throws: `BenchFailure`.
  package func attack(_ camera: URL, _ owner: VeilOperator, clock: VeilObserver.Clock) async throws -> Record {
    let observer = try await VeilObserver(camera: camera, clock: clock)
    let stretches = try await withThrowingTaskGroup(of: [VeilStretch]?.self) { group in
      group.addTask {
        try await observer.run()
        return nil
      }
      group.addTask {
        do {
          let stretches = try await play(owner, clock: clock, part: observer.part)
          try await owner.show(veiled: false, patience: patience)
          return stretches
        } catch {
          await owner.unveil()
          throw error
        }
      }
      defer { group.cancelAll() }
      while let stretches = try await group.next() { if let stretches { return stretches } }
      throw BenchFailure("the camera's public addresses ended")
    }
    let window = plan.window.count * 100 / 9
    return Record(seen: observer.seen, stretches: stretches, sent: [], window: window, seed: plan.seed)
  }

  /// A veil begins with a segment, and ends within some.
  private var patience: Duration { .seconds(300) }

  private func play(_ owner: VeilOperator, clock: VeilObserver.Clock, part: Int64) async throws -> [VeilStretch] {
    var (stretches, numbers) = ([VeilStretch](), SeededNumbers(seed: plan.seed))
    try await owner.show(veiled: false, patience: patience)
    var wasVeiled = false
    for round in 1...max(1, plan.stretches) {
      for kind in VeilStretch.Kind.allCases.shuffled(using: &numbers) {
        let isVeiled = kind == .veiled
        try await owner.show(veiled: isVeiled, patience: patience)
        // The first part that is another shows it, and is known to the operator when it has been published.
        let changes = !stretches.isEmpty && isVeiled != wasVeiled
        let begin = clock.now - (changes ? part + part / 4 : 0)
        progress("round \(round) of \(plan.stretches): \(kind.rawValue) for \(plan.length)")
        try await Task.sleep(for: plan.length.duration)
        guard try await owner.source() == (isVeiled ? "veiled" : "live") else {
          throw BenchFailure("the camera went off, or somebody else gave an order; run it again")
        }
        stretches.append(VeilStretch(kind: kind, begin: begin, end: clock.now, isEdge: changes))
        wasVeiled = isVeiled
      }
    }
    return stretches
  }
}
