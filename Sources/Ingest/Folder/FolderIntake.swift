import Foundation
import Logging
import Media
import NIOCore
import ServiceLifecycle

/// Takes a camera's stills from a folder that other programs write to: FTP and SSH servers, memory cards with Wi-Fi,
/// gphoto2, motion.
///
/// A thread of its own watches and reads the folder at any depth. Files that were there before are ignored, and no file
/// is ever deleted.
package struct FolderIntake: Service {
  private let path: String
  private let scans: Bool
  private let maxBytes: Int
  private let take: @Sendable (ByteBuffer) throws(StillRefusal) -> Void
  private let refuse: @Sendable (StillRefusal.Reason) -> Void
  private let logger: Logger

  /// The intake of one folder.
  ///
  /// - Parameters:
  ///   - scans: whether to scan the folder twice a second instead of waiting for notifications; always so for folders
  ///     on NFS, FUSE and the like.
  ///   - maxBytes: the most bytes that a still may have.
  ///   - take: takes a still, or throws why not.
  ///   - refuse: counts a file that was refused before it could be passed on.
  package init(
    path: String, scans: Bool, maxBytes: Int, logger: Logger,
    take: @escaping @Sendable (ByteBuffer) throws(StillRefusal) -> Void,
    refuse: @escaping @Sendable (StillRefusal.Reason) -> Void = { _ in }
  ) {
    // A trailing slash would be doubled in every path.
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    self.scans = scans
    self.maxBytes = maxBytes
    self.take = take
    self.refuse = refuse
    self.logger = logger
  }

  /// Watches until graceful shutdown or cancellation.
  ///
  /// - Throws: if the process has no descriptors left at the start.
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
