import Ingest
import Media
import NIOConcurrencyHelpers
import NIOCore
import Picture

/// The newest picture of a camera that answers one GET with pictures without end.
///
/// They are read all the time, so that nothing grows old in buffers. When the stream ends or stalls it is asked for again
/// and again until it is back.
final class PictureStream: StillSource {
  private let client: CameraClient
  private let slot = LiveSlot()
  private let patience: Duration
  private let task = NIOLockedValueBox<Task<Void, Never>?>(nil)

  /// A source of the rest of `pictures`, and of what `client` gets behind their end.
  ///
  /// - Parameters:
  ///   - first: the picture that has come already.
  ///   - every: the time between beats; a beat waits at most half of it, and half a second, for its picture.
  init(_ client: CameraClient, first: ByteBuffer, rest pictures: CameraPictures, every: Ticks) {
    self.client = client
    patience = LiveSlot.patience(every: every)
    slot.put(first)
    let reader = Reader(client: client, slot: slot)
    task.withLockedValue { $0 = Task { await reader.run(pictures) } }
  }

  deinit { stop() }

  /// The next picture that the camera makes, or the newest that nobody had, or nothing.
  func next(_ beat: Beat) async throws -> NextStill { await slot.next(beat, patience: patience) }

  /// Ends the reading.
  func stop() {
    client.stop()
    task.withLockedValue { $0?.cancel() }
  }

  /// What the reading task does.
  private struct Reader {
    let client: CameraClient
    let slot: LiveSlot

    func run(_ first: CameraPictures) async {
      var pictures: CameraPictures? = first
      var backoff = Backoff()
      while !client.isStopped {
        do throws(CameraTrouble) {
          if pictures == nil { pictures = CameraPictures(try await client.get()) }
          while true {
            guard case .picture(let picture)? = try await pictures?.next() else { throw .passing("the stream ended") }
            slot.tell(nil)
            backoff.reset()
            if slot.isWanted { slot.put(picture) }
          }
        } catch {
          pictures = nil
          slot.tell("camera: \(error.words); opening it again")
          try? await Task.sleep(for: backoff.wait(random: .random(in: 0...UInt32.max)).duration)
        }
      }
    }
  }
}
