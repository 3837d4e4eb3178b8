import Foundation
import Logging
import Media
import NIOCore
import ServiceLifecycle

/// Takes a camera's stills from a folder that others put them into: FTP and SSH servers, memory cards with Wi-Fi,
/// programs such as gphoto2 and motion.
///
/// A thread of its own watches and reads the folder at any depth. Files that were there before are no news, and none is
/// ever deleted.
package struct FolderIntake: Service {
  private let path: String
  private let scans: Bool
  private let maxBytes: Int
  private let take: @Sendable (ByteBuffer) throws(StillRefusal) -> Void
  private let refuse: @Sendable (StillRefusal.Reason) -> Void
  private let logger: Logger

  /// The intake of a camera's folder.
  ///
  /// - Parameter scans: whether to look at the folder twice a second instead of being told by the system; for folders on
  ///   NFS, FUSE and the like that happens by itself.
  package init(camera: Camera, path: String, scans: Bool, logger: Logger) {
    var logger = logger
    logger[metadataKey: "camera"] = "\(camera.settings.name)"
    self.init(
      path: path, scans: scans, maxBytes: camera.settings.maxStillBytes, logger: logger,
      take: { still throws(StillRefusal) in _ = try camera.take(still) }, refuse: { camera.refuse($0) })
  }

  /// An intake that hands its stills to anyone.
  init(
    path: String, scans: Bool, maxBytes: Int, logger: Logger,
    take: @escaping @Sendable (ByteBuffer) throws(StillRefusal) -> Void,
    refuse: @escaping @Sendable (StillRefusal.Reason) -> Void = { _ in }
  ) {
    // A trailing slash would stand twice in every path.
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    self.scans = scans
    self.maxBytes = maxBytes
    self.take = take
    self.refuse = refuse
    self.logger = logger
  }

  /// Watches until graceful shutdown or cancellation.
  ///
  /// - Throws: where the process has no descriptors left to begin with.
  package func run() async throws {
    let pipe = try WakePipe()
    await withGracefulShutdownHandler {
      await withTaskCancellationHandler {
        await withCheckedContinuation { (ended: CheckedContinuation<Void, Never>) in
          let thread = Thread {
            var reader = FolderReader(
              path: path, scans: scans, maxBytes: maxBytes, pipe: pipe, logger: logger, take: take, refuse: refuse)
            reader.run()
            ended.resume()
          }
          thread.name = "folder"
          thread.start()
        }
      } onCancel: {
        pipe.wake()
      }
    } onGracefulShutdown: {
      pipe.wake()
    }
  }
}
