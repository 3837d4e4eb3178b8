import Media
import NIOCore
import Picture

/// The pictures of a video file, or of a filter graph, sampled by media time: a beat gets the first picture at or after
/// its own time.
package actor RecordedSource: StillSource {
  private let location: MediaLocation
  private let loops: Bool
  private let quality: Int
  private let executor = ThreadExecutor(name: "recorded source")
  private let interrupt = MediaInterrupt()
  private var source: FrameSource?
  private var current: Ticks?
  private var origin = Ticks.zero

  /// The thread that FFmpeg runs on.
  package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  /// A source of the video at `location`; with `loops` it begins again after the last picture, at the next beat.
  package init(_ location: MediaLocation, loops: Bool, quality: Int) {
    self.location = location
    self.loops = loops
    self.quality = quality
  }

  /// Opens the video.
  ///
  /// - Returns: `false` if it is live; then it is closed again.
  /// - Throws: `FFmpegError`.
  package func open() throws -> Bool {
    source = try FrameSource(location, interrupt: interrupt, quality: quality)
    if source?.isLive == true { source = nil }
    return source != nil
  }

  /// The first picture at or after the beat's time; damaged ones are skipped.
  package func next(_ beat: Beat) async throws -> NextStill {
    do throws(FFmpegError) {
      var hasBegunAnew = false
      while true {
        if let current, current + origin >= beat.time {
          do throws(FFmpegError) {
            if let jpeg = try source?.jpeg() {
              self.current = nil
              return .still(jpeg)
            }
          } catch  where FFmpegError.invalidData ~= error {}
        }
        if source == nil { source = try FrameSource(location, interrupt: interrupt, quality: quality) }
        switch try source?.advance() {
        case .picture(let time): current = time
        case .waiting: return .nothing(nil)
        case .end, nil:
          guard loops, !hasBegunAnew else { return .end }
          hasBegunAnew = true
          source = nil
          (current, origin) = (nil, beat.time)
        }
      }
    } catch  where FFmpegError.exit ~= error && interrupt.isInterrupted {
      return .end
    } catch {
      throw PushSource.explain(error, location)
    }
  }

  /// Interrupts FFmpeg.
  package nonisolated func stop() { interrupt.interrupt() }
}
