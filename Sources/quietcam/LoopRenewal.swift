import Foundation
import Logging
import Media
import ServiceLifecycle
import Settings
import Station

/// Makes loops again whose settings have changed, if their sources are still there: once, when the server starts, one
/// after another on a thread of low priority.
struct LoopRenewal: Service {
  private let orders: [LoopOrder]
  private let logger: Logger

  /// The renewal of these cameras' loops.
  init(_ settings: ServeSettings, logger: Logger) {
    self.logger = logger
    guard case .folder(let store) = settings.store else {
      orders = []
      return
    }
    orders = settings.cameras.compactMap { camera in
      let folder = "\(store)/\(camera.name)"
      guard let source = LoopSource.ofOutdatedLoop(in: folder, settings: camera), let path = source.path else {
        return nil
      }
      return LoopOrder(
        camera: camera, folder: folder, every: source.every.map { Ticks($0) }, length: source.length.map { Ticks($0) },
        task: source.kind == .stills ? .stills(path) : .video(path), logger: logger, isSilent: true)
    }
  }

  /// Makes them, then waits for the end of the process: a service that returns would end it.
  func run() async throws {
    if !orders.isEmpty {
      let pool = EncodePool(threads: 1)
      await cancelWhenGracefulShutdown {
        await withTaskExecutorPreference(pool) { await renew() }
      }
      await pool.shutDown()
    }
    try? await gracefulShutdown()
  }

  private func renew() async {
    // On Linux this applies to the calling thread, and the pool has only this one.
    setpriority(Int32(PRIO_PROCESS.rawValue), 0, 19)
    for order in orders where !Task.isCancelled {
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
