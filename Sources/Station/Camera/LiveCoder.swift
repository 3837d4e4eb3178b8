import Logging
import Media
import NIOCore
import Packager
import Picture

/// Makes the content of live slots: decodes the stills that came and codes one picture for each step.
struct LiveCoder: ~Copyable {
  private let camera: Camera
  private let logger: Logger
  private var line: PictureLine

  init(camera: Camera, line: consuming PictureLine, logger: Logger) {
    self.camera = camera
    self.line = line
    self.logger = logger
  }

  /// Codes a slot. Without its pictures the slot cannot be made and `nil` comes back: the clock goes on, and the next
  /// slot takes this one's place on the media timeline, late but without a gap.
  ///
  /// - Parameters:
  ///   - arrangement: for each step the index of the still that begins to show there.
  ///   - startsSegment: whether the first picture has to be an IDR picture.
  mutating func code(_ stills: [ArrivedStill], arrangement: [Int?], startsSegment: Bool) -> SlotContent? {
    var content = SlotContent()
    do {
      for (step, index) in arrangement.enumerated() {
        let still = index.flatMap { show(stills[$0]) ? stills[$0] : nil }
        let isFirst = step == 0 && startsSegment
        content.pictures.append(try line.encode(isFirst ? .idr : still == nil ? .repeated : .new))
        if let still {
          let jpeg = still.shown.map { $0.jpeg } ?? latest()
          content.changes.append(
            .init(
              step: step, jpeg: jpeg, photo: line.current.photo, time: still.still.wallTime,
              isTold: still.shown != nil))
        }
      }
      return content
    } catch {
      return fail(error)
    }
  }

  /// Codes a slot in which recorded pictures cover the stills that came. The stills are decoded all the same, so that
  /// it takes its time and the filter knows what comes after the veil.
  ///
  /// - Parameters:
  ///   - covers: the pictures that cover these stills and the next, in this order. Without one the picture that stands
  ///     goes on.
  ///   - standing: the picture that is shown, which goes on until a still comes.
  mutating func cover(
    _ stills: [ArrivedStill], arrangement: [Int?], startsSegment: Bool, with covers: inout [ByteBuffer],
    standing: ByteBuffer?
  ) -> SlotContent? {
    var (content, standing) = (SlotContent(), standing)
    do {
      for (step, index) in arrangement.enumerated() {
        var isNew = false
        if let index, show(stills[index]) {
          isNew = !covers.isEmpty
          if isNew {
            standing = covers.removeFirst()
            content.changes.append(.init(step: step, jpeg: standing, time: stills[index].still.wallTime))
          }
          // The still that was decoded must not be seen, whatever happens.
          let isCovered = if let standing { restore(standing) } else { false }
          if !isCovered { forget() }
        }
        content.pictures.append(try line.encode(step == 0 && startsSegment ? .idr : isNew ? .new : .repeated))
      }
      return content
    } catch {
      return fail(error)
    }
  }

  private mutating func fail(_ error: FFmpegError) -> SlotContent? {
    line.forceIDR()
    logger.critical("no picture can be coded; the stream stands still: \(error)")
    return nil
  }

  /// Makes a still the current picture; `false`, counted and logged, when it does not decode: the picture before stays.
  mutating func show(_ still: ArrivedStill) -> Bool {
    do {
      if let shown = still.shown {
        line.show(shown.picture)
      } else if let decoded = still.decoded {
        try line.show(decoded)
      } else {
        try line.show(still.still)
      }
      return true
    } catch {
      camera.tellUndecodable(error, logger: logger)
      return false
    }
  }

  /// Makes a still the current picture before its slot, which shows the very same; `false` as for `show`.
  mutating func showEarly(_ still: inout ArrivedStill) -> Bool {
    guard show(still) else { return false }
    still.shown = (line.current, latest())
    return true
  }

  /// Makes a picture that was shown before the current one; `false` where it does not decode.
  @discardableResult mutating func restore(_ jpeg: ByteBuffer) -> Bool { (try? line.restore(jpeg)) != nil }

  /// Forgets the current picture: the slate takes its place.
  mutating func forget() {
    do {
      try line.forget()
    } catch {
      logger.error("the slate cannot be painted: \(error)")
    }
  }

  /// Makes the next picture an IDR picture: what was coded before was not published.
  mutating func forceIDR() { line.forceIDR() }

  /// The current picture as a photo, where that shows more than the stream.
  var photo: Photo? { line.current.photo }

  /// The current picture for `latest.jpg`, in the stream's size; `nil`, logged, where it cannot be coded.
  mutating func latest() -> ByteBuffer? {
    do {
      return try line.jpeg()
    } catch {
      logger.error("latest.jpg stays as it is: \(error)")
      return nil
    }
  }
}
