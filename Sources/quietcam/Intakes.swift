import Ingest
import Logging
import Media
import NIOConcurrencyHelpers
import Origin
import Settings
import Station

/// Which folders stills are taken from, and the running intake of each. Only the reloader uses it.
struct Intakes {
  /// What an intake depends on; with another one it begins anew.
  struct Plan: Hashable, Sendable {
    let camera: CameraName
    let folder: String
    let scans: Bool
    let mostBytes: Int
  }

  private var running: [Plan: Stopper] = [:]
  private let logger: Logger

  /// None yet.
  init(logger: Logger) { self.logger = logger }

  /// The intakes of these settings.
  static func plans(_ settings: ServeSettings) -> Set<Plan> {
    Set(
      settings.cameras.compactMap { camera in
        guard let door = settings.doors[camera.name], let folder = door.folder else { return nil }
        return Plan(
          camera: camera.name, folder: folder, scans: door.scansFolder, mostBytes: camera.maxStillBytes)
      })
  }

  /// Ends those that are not wanted any more and begins those that are new, as children of a group.
  mutating func change(to plans: Set<Plan>, cameras: [Camera], in group: inout DiscardingTaskGroup) {
    for (plan, stopper) in running where !plans.contains(plan) {
      stopper.stop()
      running[plan] = nil
    }
    for plan in plans where running[plan] == nil {
      guard let camera = cameras.first(where: { $0.name == plan.camera }) else { continue }
      let stopper = Stopper()
      running[plan] = stopper
      var logger = logger
      logger[metadataKey: "camera"] = "\(plan.camera)"
      let intake = FolderIntake(
        path: plan.folder, scans: plan.scans, maxBytes: plan.mostBytes, logger: logger,
        take: { still throws(StillRefusal) in _ = try camera.take(still) }, refuse: { camera.refuse($0) })
      group.addTask { [logger] in
        await stopper.run {
          do { try await intake.run() } catch {
            logger.critical("no stills are taken from the folder: \(error)", metadata: ["folder": "\(plan.folder)"])
          }
        }
      }
    }
  }
}

/// Ends one piece of work before the task that it belongs to.
final class Stopper: Sendable {
  private struct State {
    var isStopped = false
    var waiter: CheckedContinuation<Void, Never>?
  }

  private let state = NIOLockedValueBox(State())

  /// Ends the work.
  func stop() {
    let waiter = state.withLockedValue { state in
      state.isStopped = true
      return state.waiter.take()
    }
    waiter?.resume()
  }

  /// Runs the work until it ends, it is stopped, or the task is cancelled.
  func run(_ work: @escaping @Sendable () async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await work() }
      group.addTask { await self.wait() }
      await group.next()
      group.cancelAll()
    }
  }

  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { waiter in
        let isOver = state.withLockedValue { state in
          if state.isStopped || Task.isCancelled { return true }
          state.waiter = waiter
          return false
        }
        if isOver { waiter.resume() }
      }
    } onCancel: {
      state.withLockedValue { $0.waiter.take() }?.resume()
    }
  }
}
