import Media
import NIOCore
import Picture

extension LoopMaker {
  /// The JPEG quality of a video's pictures on their way into the camera's line, which takes JPEGs: too fine to be
  /// seen.
  package static let videoQuality = 95

  /// Adds the pictures of a video at its own speed, at most one for each `every`: each is shown where its time falls on
  /// the grid, whatever the video's picture rate is.
  ///
  /// - Parameters:
  ///   - every: a whole number of steps of the grid.
  ///   - limit: the longest loop.
  ///   - progress: gets the loop's length from time to time; what it throws ends the work.
  /// - Returns: how many pictures were damaged and skipped.
  /// - Throws: FFmpeg's error about the video, or `LoopError`.
  package mutating func append(
    video location: MediaLocation, every: Ticks, limit: Ticks, interrupt: MediaInterrupt,
    progress: (Ticks) throws -> Void
  ) throws -> Int {
    var source = try FrameSource(location, interrupt: interrupt, quality: Self.videoQuality)
    let begin = length
    var (last, damaged) = (Int64(-1), 0)
    var end = Ticks.zero
    while case .picture(let time) = try source.advance() {
      let place = time.floorDivided(by: every)
      end = time
      // The previous picture stays for its own time even if the next is beyond the end.
      if hasPicture { try hold(until: min(limit, begin + every * place)) }
      if begin + every * place >= limit { break }
      guard place > last else { continue }
      let jpeg: ByteBuffer
      do throws(FFmpegError) { jpeg = try source.jpeg() } catch {
        damaged += 1
        continue
      }
      try append(jpeg)
      last = place
      try progress(length)
    }
    if hasPicture { try hold(until: min(limit, begin + every * (end.floorDivided(by: every) + 1))) }
    return damaged
  }
}
