import Media
import NIOCore
import Picture

/// A URL that answers one JPEG for each GET, fetched anew at every beat.
///
/// Logins stand in the URL, `http://user:password@camera/snapshot.jpg`, and work as Basic and as Digest.
public actor SnapshotSource: StillSource {
  private let location: MediaLocation
  private let executor = ThreadExecutor(name: "snapshot source")
  private let interrupt = MediaInterrupt()

  /// The largest snapshot that is read, in bytes.
  static let largest = 64 << 20

  /// The thread of its own that the snapshots are fetched on.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A source of the snapshots of `location`.
  public init(_ location: MediaLocation) { self.location = location }

  /// Whether the URL answers a single picture: its type is `image/…`, or it begins as a JPEG and says neither
  /// `multipart/…` nor `video/…`.
  ///
  /// - Throws: `FFmpegError`.
  public func isSnapshot() throws -> Bool {
    let start = try MediaFetch(location, limit: 3, prefixOnly: true, interrupt: interrupt)
    let type = start.contentType?.lowercased() ?? ""
    return type.hasPrefix("image/")
      || start.isJPEG && !type.hasPrefix("multipart/") && !type.hasPrefix("video/")
  }

  /// The snapshot of this moment; a camera that does not answer is trouble that may pass.
  public func next(_ beat: Beat) async throws -> NextStill {
    do throws(FFmpegError) {
      let answer = try MediaFetch(location, limit: Self.largest, interrupt: interrupt)
      guard answer.isJPEG else {
        return .nothing("camera: the answer is no JPEG but \(answer.contentType ?? "of no type")")
      }
      return .still(answer.body)
    } catch {
      return interrupt.isInterrupted ? .end : .nothing("camera: \(error.reason)")
    }
  }

  /// Interrupts the fetch under way.
  public nonisolated func stop() { interrupt.interrupt() }
}
