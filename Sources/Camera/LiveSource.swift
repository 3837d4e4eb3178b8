import Foundation
import Media
import NIOConcurrencyHelpers
import NIOCore
import Picture

/// The newest picture of a device or a stream that runs at its own rate.
///
/// A thread reads all the time, so that no picture becomes old in buffers. It encodes a picture only when a beat asks
/// for one: the next that comes. If the camera goes away, it is opened again until it is back.
package final class LiveSource: StillSource {
  private let slot: LiveSlot
  private let interrupt: MediaInterrupt
  private let patience: Duration

  /// Opens `location` and reads it on a thread of its own until `stop`.
  ///
  /// - Parameter every: the time between beats; a beat waits at most half of it, and half a second, for its picture.
  /// - Throws: `FFmpegError` if it does not open the first time.
  package init(_ location: MediaLocation, every: Ticks, quality: Int) async throws {
    let slot = LiveSlot()
    let interrupt = MediaInterrupt()
    self.slot = slot
    self.interrupt = interrupt
    patience = LiveSlot.patience(every: every)
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (opened: CheckedContinuation<Void, any Error>) in
        let thread = Thread {
          var reader = LiveReader(location: location, quality: quality, slot: slot, interrupt: interrupt)
          do throws(FFmpegError) {
            let source = try reader.open()
            opened.resume()
            reader.run(source)
          } catch { opened.resume(throwing: error) }
        }
        thread.name = "live source"
        thread.start()
      }
    } onCancel: {
      interrupt.interrupt()
    }
  }

  deinit { interrupt.interrupt() }

  /// The next picture that the camera makes, or the newest that nobody had, or nothing.
  package func next(_ beat: Beat) async throws -> NextStill { await slot.next(beat, patience: patience) }

  /// Interrupts the reader. Its thread ends and closes the camera.
  package func stop() { interrupt.interrupt() }
}

/// The only state shared by the reading thread and the pusher: the newest picture, if it is wanted.
final class LiveSlot: Sendable {
  private struct State {
    /// A beat waits, or got no picture.
    var isWanted = true
    var newest: ByteBuffer?
    var trouble: String?
    var waiter: CheckedContinuation<NextStill, Never>?
    /// The last beat that gave up. It may give up before it begins to wait, or after it got its picture.
    var lastGivenUp: Int64 = -1

    var answer: NextStill {
      mutating get {
        guard let jpeg = newest else { return .nothing(trouble) }
        (newest, isWanted) = (nil, false)
        return .still(jpeg)
      }
    }
  }

  private let state = NIOLockedValueBox(State())

  /// How long a beat waits for its picture: half of the time between beats, and half a second at most.
  static func patience(every: Ticks) -> Duration { min(Ticks(every.count / 2), .milliseconds(500)).duration }

  /// The next picture that comes within so long, or the newest that nobody had, or nothing.
  func next(_ beat: Beat, patience: Duration) async -> NextStill {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        try? await Task.sleep(for: patience)
        self.giveUp(beat.index)
      }
      defer { group.cancelAll() }
      return await wait(beat.index)
    }
  }

  /// Whether a picture is worth coding.
  var isWanted: Bool { state.withLockedValue { $0.isWanted } }

  /// Reports the camera's problem, or that it has ended.
  func tell(_ trouble: String?) { state.withLockedValue { $0.trouble = trouble } }

  /// Passes a picture to the waiting beat, or keeps it in place of an older one.
  func put(_ jpeg: ByteBuffer) {
    let handOver = state.withLockedValue { state -> (CheckedContinuation<NextStill, Never>, NextStill)? in
      state.newest = jpeg
      guard let waiter = state.waiter else { return nil }
      state.waiter = nil
      return (waiter, state.answer)
    }
    handOver?.0.resume(returning: handOver!.1)
  }

  /// Suspends for the next picture until this beat gives up. One wait at a time, with rising numbers.
  func wait(_ beat: Int64) async -> NextStill {
    await withCheckedContinuation { waiter in
      let early = state.withLockedValue { state -> NextStill? in
        state.isWanted = true
        if state.lastGivenUp >= beat { return state.answer }
        state.waiter = waiter
        return nil
      }
      if let early { waiter.resume(returning: early) }
    }
  }

  /// Ends the wait with a picture that was not returned yet, or nothing.
  func giveUp(_ beat: Int64) {
    let handOver = state.withLockedValue { state -> (CheckedContinuation<NextStill, Never>, NextStill)? in
      state.lastGivenUp = beat
      guard let waiter = state.waiter else { return nil }
      state.waiter = nil
      return (waiter, state.answer)
    }
    handOver?.0.resume(returning: handOver!.1)
  }
}

/// The work of the reading thread.
private struct LiveReader {
  let location: MediaLocation
  let quality: Int
  let slot: LiveSlot
  let interrupt: MediaInterrupt
  var backoff = Backoff()

  func open() throws(FFmpegError) -> FrameSource {
    try FrameSource(location, interrupt: interrupt, quality: quality)
  }

  /// Reads until it is interrupted, and opens the camera again whenever it is gone.
  mutating func run(_ first: consuming FrameSource) {
    var source: FrameSource? = first
    while !interrupt.isInterrupted {
      do throws(FFmpegError) {
        if source == nil { source = try open() }
        switch try source!.advance() {
        case .waiting: usleep(5_000)
        case .end: throw FFmpegError(code: FFmpegError.endOfFile, call: "av_read_frame \(location)")
        case .picture:
          slot.tell(nil)
          backoff.reset()
          guard slot.isWanted else { continue }
          do throws(FFmpegError) { slot.put(try source!.jpeg()) } catch  where FFmpegError.invalidData ~= error {}
        }
      } catch {
        source = nil
        let wait = backoff.wait(random: .random(in: 0...UInt32.max))
        slot.tell("camera: \(CameraTrouble(error).words); opening it again")
        let end = ContinuousClock.now + wait.duration
        while !interrupt.isInterrupted, ContinuousClock.now < end { usleep(50_000) }
      }
    }
  }
}
