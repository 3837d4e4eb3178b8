import Foundation
import Logging
import Media
import NIOConcurrencyHelpers
import ServiceLifecycle
import Settings
import Station

/// Makes loops again whose settings have changed, if their sources are still there: when the server starts and after each
/// change of its settings, one after another on a thread of low priority.
final class LoopRenewal: Service {
  private struct State {
    /// The cameras to look at; `nil` if that is done.
    var wanted: (cameras: [CameraSettings], store: String)?
    var sleeper: CheckedContinuation<Void, Never>?
  }

  private let state = NIOLockedValueBox(State())
  private let logger: Logger

  /// The renewal of these cameras' loops.
  init(_ settings: ServeSettings, logger: Logger) {
    self.logger = logger
    renew(settings)
  }

  /// Looks at the cameras' loops again, with these settings.
  func renew(_ settings: ServeSettings) {
    guard case .folder(let store) = settings.store else { return }
    let sleeper = state.withLockedValue { state in
      state.wanted = (settings.cameras, store)
      return state.sleeper.take()
    }
    sleeper?.resume()
  }

  /// Makes them until the end of the process.
  func run() async throws {
    await cancelWhenGracefulShutdown { [self] in
      while let (cameras, store) = await next() {
        let orders = cameras.compactMap { order(for: $0, store: store) }
        if orders.isEmpty { continue }
        let pool = EncodePool(threads: 1)
        await withTaskExecutorPreference(pool) { await carryOut(orders) }
        await pool.shutDown()
      }
    }
  }

  private func next() async -> (cameras: [CameraSettings], store: String)? {
    while !Task.isCancelled {
      if let wanted = state.withLockedValue({ $0.wanted.take() }) { return wanted }
      await withTaskCancellationHandler {
        await withCheckedContinuation { sleeper in
          let isOver = state.withLockedValue { state in
            guard state.wanted == nil, !Task.isCancelled else { return true }
            state.sleeper = sleeper
            return false
          }
          if isOver { sleeper.resume() }
        }
      } onCancel: {
        state.withLockedValue { $0.sleeper.take() }?.resume()
      }
    }
    return nil
  }

  private func order(for camera: CameraSettings, store: String) -> LoopOrder? {
    let folder = "\(store)/\(camera.name)"
    guard let source = LoopSource.ofOutdatedLoop(in: folder, settings: camera), let path = source.path else {
      return nil
    }
    return LoopOrder(
      camera: camera, folder: folder, every: source.every.map { Ticks($0) }, length: source.length.map { Ticks($0) },
      task: source.kind == .stills ? .stills(path) : .video(path), logger: logger, isSilent: true)
  }

  private func carryOut(_ orders: [LoopOrder]) async {
    // On Linux this applies to the calling thread, and the pool has only this one.
    setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19)
    for order in orders where !Task.isCancelled {
      // Newer settings are there already, perhaps other ones for this camera.
      if state.withLockedValue({ $0.wanted != nil }) { return }
      var logger = logger
      logger[metadataKey: "camera"] = "\(order.camera.name)"
      do {
        logger.notice("the loop was made with other settings and is made again")
        let made = try await order.carryOut()
        logger.notice("\(made)")
      } catch is CancellationError {
      } catch {
        logger.error("the loop was made with other settings and cannot be made again: \(error)")
      }
    }
  }
}
