import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture

/// Makes the content of slots out of the camera's stills: decodes them and codes one picture for each step.
struct LiveCoder: ~Copyable {
  private let camera: Camera
  private let logger: Logger
  private var line: PictureLine
  /// Whether it holds a picture that the veil hides, and not the one that is shown.
  private var holdsHidden = false
  /// The slate as it was encoded in advance, while the encoder was not used: an idle camera needs none.
  private var slate: LoopSegment?
  /// Whether the current picture is the slate, while `slate` is there.
  private var holdsSlate = true
  /// The picture of an earlier process, until it is needed: where many cameras start at once, decoding it would take
  /// longer than all else.
  private var undecoded: ByteBuffer?
  /// How long no still has come, as far as that tells whether an encoder is needed. A picture of an earlier process needs
  /// one only once.
  private var idle = LiveCoder.patience
  /// How long without a still the encoder is kept. It is longer than nearly all cameras take: a still after it costs an
  /// IDR picture in the middle of a segment.
  private static let patience = Ticks.seconds(300)
  /// Whether the encoder's memory may be given back while the camera is shown. Where a veil can begin it may not: no
  /// segment of a loop has an IDR picture in its middle, and a live one that has tells that it is none.
  var mayRelease = true

  /// - Parameters:
  ///   - line: a new one.
  ///   - slate: the slate, encoded with the camera's settings.
  init(camera: Camera, line: consuming PictureLine, slate: LoopSegment, logger: Logger) {
    self.camera = camera
    self.line = line
    self.slate = slate
    self.logger = logger
  }

  /// How far the encoder is stepped down from the next IDR picture on.
  var level: LoadLevel {
    get { line.level }
    set { line.level = newValue }
  }

  /// How far the encoder is stepped down now; `nil` while there is none.
  var codedLevel: LoadLevel? { line.codedLevel }

  /// How often an encoder was opened.
  var openings: Int { line.openings }

  /// Whether the slate is shown and there is no encoder: then stills can be put off in each slot, also in the first of a
  /// segment.
  var showsSlate: Bool { slate != nil && holdsSlate }

  /// Whether its work is late: see `PictureEncoder.isHurried`.
  var isHurried: Bool {
    get { line.isHurried }
    set { line.isHurried = newValue }
  }

  // MARK: Slots

  /// Encodes a slot that shows the camera. If its pictures cannot be encoded, the result is `nil`: the clock continues,
  /// and the next slot takes this one's place on the media timeline, late but without a gap.
  ///
  /// - Parameters:
  ///   - part: the index of the slot's part in its segment; with 0 the first picture must be an IDR picture.
  ///   - standing: the picture that is shown, until a still comes.
  mutating func code(_ slot: SlotArrivals, part: Int, standing: ByteBuffer?) -> SlotContent? {
    note(isIdle: slot.stills.isEmpty)
    defer { if mayRelease { releaseIfIdle() } }
    if let slate {
      let timeline = camera.settings.timeline
      if holdsSlate, slot.stills.isEmpty { return SlotContent(pictures: slate.slot(part, timeline).pictures) }
      // The parts of the segment that are published have the slate's pictures.
      line.follow(slate.pictures.prefix(part * timeline.stepsPerPart))
    }
    decodeLast()
    goOn(from: standing)
    defer { slate = nil }
    var content = SlotContent()
    do {
      for (step, index) in slot.arrangement.enumerated() {
        let shown = index.flatMap { show(slot.stills[$0]) ? $0 : nil }
        let isFirst = step == 0 && part == 0
        content.pictures.append(try line.encode(isFirst ? .idr : shown == nil ? .repeated : .new))
        if let shown {
          let still = slot.stills[shown]
          let jpeg = still.shown.map { $0.jpeg } ?? latest()
          content.changes.append(
            ShownPicture(
              step: step, jpeg: jpeg, photo: line.current.photo, slotOffset: slot.slotOffset(shown),
              time: still.still.wallTime, isReported: still.shown != nil))
        }
      }
      return content
    } catch {
      return fail(error)
    }
  }

  /// Encodes a slot in which pictures of the loop cover the stills that came. The stills are decoded all the same, so
  /// that the filter knows them for after the veil.
  ///
  /// - Parameters:
  ///   - places: for each step whether the next of the covering pictures begins to show there.
  ///   - covers: these pictures, in this order. Without one, the shown picture stays.
  ///   - standing: the picture that is shown, until a still comes.
  mutating func cover(
    _ slot: SlotArrivals, at places: [Bool], startsSegment: Bool, with covers: inout CoverQueue,
    standing: ByteBuffer?
  ) -> SlotContent? {
    note(isIdle: false)
    decodeLast()
    defer { slate = nil }
    let hides = !slot.stills.isEmpty
    for (_, index) in slot.arrangement.enumerated() { if let index { _ = show(slot.stills[index]) } }
    if hides || holdsHidden, standing.map({ restore($0) }) != true {
      // A decoded still must not be seen, whatever happens.
      if hides {
        forget()
        covers.miss()
      }
    }
    if holdsHidden { line.forceIDR() }
    holdsHidden = false
    var content = SlotContent()
    do {
      for (step, isPlace) in places.enumerated() {
        var isNew = false
        if isPlace, let cover = covers.take() {
          isNew = restore(cover)
          if isNew { content.changes.append(ShownPicture(step: step, jpeg: cover)) } else { covers.miss() }
        }
        content.pictures.append(try line.encode(step == 0 && startsSegment ? .idr : isNew ? .new : .repeated))
      }
      return content
    } catch {
      return fail(error)
    }
  }

  /// Takes the newest still of a slot that shows the loop, so that the camera's picture is ready when the camera is
  /// shown again. Nothing is coded.
  ///
  /// - Parameter isHidden: whether viewers must not notice the change: then the picture that is shown stays until the
  ///   next still.
  mutating func follow(_ slot: SlotArrivals, isHidden: Bool = false) {
    if let newest = slot.stills.last { _ = show(newest) }
    note(isIdle: slot.stills.isEmpty)
    releaseIfIdle()
    line.forceIDR()
    holdsHidden = isHidden
  }

  private mutating func note(isIdle: Bool) { idle = isIdle ? idle + camera.settings.timeline.part : .zero }

  /// Gives the encoder's memory back where it has only repeated pictures for long.
  private mutating func releaseIfIdle() { if idle >= Self.patience { line.release() } }

  /// Continues with the picture that is shown, if another is held that the veil hides: it stays until the next still.
  private mutating func goOn(from standing: ByteBuffer?) {
    guard holdsHidden else { return }
    if let standing { restore(standing) }
    line.forceIDR()
    holdsHidden = false
  }

  private mutating func fail(_ error: FFmpegError) -> SlotContent? {
    line.forceIDR()
    logger.critical("no picture can be encoded; the stream does not advance: \(error)")
    return nil
  }

  // MARK: Pictures

  /// Makes a still the current picture. `false`, counted and logged, if it does not decode: the previous picture stays.
  private mutating func show(_ still: ArrivedStill) -> Bool {
    do {
      if let shown = still.shown {
        line.show(shown.picture)
      } else if let decoded = still.decoded {
        if let picture = decoded.takePicture() { try line.show(picture) }
      } else {
        try line.show(still.still.jpeg)
      }
      (holdsSlate, undecoded) = (false, nil)
      return true
    } catch {
      camera.tellUndecodable(error, logger: logger)
      return false
    }
  }

  /// Makes a still the current picture before its slot, which shows the very same.
  ///
  /// - Returns: its picture for `latest.jpg`; `nil` if it does not decode and the picture before stays.
  mutating func showEarly(_ still: inout ArrivedStill) -> ByteBuffer? {
    guard show(still) else { return nil }
    let jpeg = latest()
    still.shown = (line.current, jpeg)
    return jpeg
  }

  /// Makes a picture that was shown before the current one; `false` if it does not decode.
  @discardableResult mutating func restore(_ jpeg: ByteBuffer) -> Bool {
    guard (try? line.restore(jpeg)) != nil else { return false }
    (holdsSlate, undecoded) = (false, nil)
    return true
  }

  /// Makes the picture that an earlier process has shown last the current one. It is decoded with the first slot that is
  /// coded, if it is whole and has the stream's size.
  mutating func restoreLast(_ jpeg: ByteBuffer) {
    let (settings, end) = (camera.settings.picture, jpeg.writerIndex - 2)
    guard let header = try? JPEGHeader(jpeg, maxPixels: settings.maxPixels), header.size == settings.size,
      jpeg.getInteger(at: end, as: UInt16.self) == 0xFFD9
    else {
      restore(jpeg)
      return
    }
    (holdsSlate, undecoded) = (false, jpeg)
  }

  private mutating func decodeLast() {
    guard let jpeg = undecoded.take(), !restore(jpeg) else { return }
    logger.warning("the last picture of the earlier process cannot be decoded; the slate is shown instead of it")
    forget()
  }

  /// Forgets the current picture: the slate replaces it.
  mutating func forget() {
    (holdsHidden, holdsSlate, undecoded) = (false, true, nil)
    do {
      try line.forget()
    } catch {
      logger.error("the slate cannot be painted: \(error)")
    }
  }

  /// Forgets all pictures, also those that the encoders refer to: the slate replaces them.
  mutating func withdraw() {
    (holdsHidden, undecoded) = (false, nil)
    do {
      try line.withdraw()
    } catch {
      logger.error("the slate cannot be painted, or the encoder cannot be made again: \(error)")
    }
  }

  /// Makes the next picture an IDR picture, because what was encoded before was not published.
  mutating func forceIDR() { line.forceIDR() }

  /// The current picture as a photo, if that shows more than the stream.
  var photo: Photo? { line.current.photo }

  /// The current picture for `latest.jpg`, in the stream's size; empty, logged, if it cannot be encoded.
  mutating func latest() -> ByteBuffer {
    if let slate, holdsSlate { return slate.opening }
    if let undecoded { return undecoded }
    do {
      return try line.jpeg()
    } catch {
      logger.error("latest.jpg is not updated: \(error)")
      return ByteBuffer()
    }
  }
}
