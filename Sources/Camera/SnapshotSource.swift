import Ingest
import Media
import NIOCore
import Picture

/// A URL that answers each GET with one JPEG, requested at every beat.
///
/// Logins stand in the URL, `http://user:password@camera/snapshot.jpg`, and work as Basic and as Digest.
actor SnapshotSource: StillSource {
  private let client: CameraClient
  private var first: ByteBuffer?

  /// A source of what `client` gets; `stop` must be called in the end.
  ///
  /// - Parameter first: the picture that has come already.
  init(_ client: CameraClient, first: ByteBuffer) { (self.client, self.first) = (client, first) }

  /// The snapshot of this moment; a camera that does not answer is trouble that may pass.
  func next(_ beat: Beat) async throws -> NextStill {
    if let first = first.take() { return .still(first) }
    do throws(CameraTrouble) {
      var pictures = CameraPictures(try await client.get())
      switch try await pictures.next() {
      case .picture(let picture):
        await client.giveBack(pictures.answer)
        return .still(picture)
      case .end: return .nothing("camera: the answer is empty")
      case .other(let words): return .nothing("camera: \(words)")
      }
    } catch {
      try Task.checkCancellation()
      return client.isStopped ? .end : .nothing("camera: \(error.words)")
    }
  }

  /// Interrupts the fetch under way.
  nonisolated func stop() { client.stop() }

  deinit { client.stop() }
}
