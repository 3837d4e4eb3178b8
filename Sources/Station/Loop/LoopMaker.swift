import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture

/// Makes a camera's loop: takes pictures in order, encodes them like the camera's own, and stores them.
///
/// Its calls block while they encode and write: use the encode threads. If it is dropped before `finish`, nothing of it
/// stays and the old loop is unchanged.
package struct LoopMaker: ~Copyable {
  /// The result.
  package struct Product: Hashable, Sendable {
    /// How many segments.
    package let segments: Int
    /// How long one round is.
    package let length: Ticks
    /// How long the last picture stays beyond its own time to fill the last segment.
    package let filled: Ticks
    /// How many new pictures it shows.
    package let pictures: Int
    /// The bytes of all segments.
    package let mediaBytes: Int
    /// Its path.
    package let path: String
  }

  let settings: CameraSettings
  let initSegment: InitSegment
  private(set) var folder: LoopFolder
  private let camera: String
  private var line: PictureLine
  private var segmenter: Segmenter
  private var segments: [LoopManifest.SegmentEntry] = []
  /// The picture that is shown; `nil` before the first.
  private var shown: ByteBuffer?
  private var pictureCount = 0
  // The current segment.
  private var stepsMade = 0
  /// Steps at the start of the current slot that repeat the picture before and are not encoded yet: a live slot begins
  /// with its first still (`SlotPictures`), so these come after those that follow.
  private var stepsPutOff = 0
  private var coded: [CodedPicture] = []
  private var pictures: [ShownPictureEntry] = []
  private var jpegs = ByteBuffer()
  private var beginsAnew = false

  /// A maker of a loop for the camera with this folder in the store.
  ///
  /// - Parameter isProcessed: whether the pictures were already processed (crop, masks and the like), so that this must
  ///   not be done again.
  /// - Throws: `LoopError` if nothing can be written there, `FFmpegError` if the encoder refuses its settings.
  package static func open(
    folder: String, settings: CameraSettings, isProcessed: Bool = false, logger: Logger
  ) throws -> LoopMaker {
    var lineSettings = settings
    if isProcessed { lineSettings.picture = PictureSettings(size: settings.picture.size, fit: .contain, denoise: 0) }
    var line = try PictureLine.open(lineSettings, logger: logger)
    // The parameter sets come with a picture, and they are needed first.
    _ = try line.encode(.idr)
    line.forceIDR()
    guard let parameterSets = line.parameterSets else {
      throw FFmpegError(
        code: FFmpegError.invalidData, call: "libx264 gave no parameter sets with its first picture")
    }
    return LoopMaker(
      camera: folder, folder: try LoopFolder(camera: folder), settings: settings, line: line,
      initSegment: InitSegment(
        parameterSets: parameterSets, size: settings.picture.size, step: settings.timeline.step))
  }

  private init(
    camera: String, folder: consuming LoopFolder, settings: CameraSettings, line: consuming PictureLine,
    initSegment: InitSegment
  ) {
    self.camera = camera
    self.folder = folder
    self.settings = settings
    self.line = line
    self.initSegment = initSegment
    segmenter = Segmenter(settings: settings.timeline, firstSequence: 0)
  }

  /// Pictures in one segment.
  var stepsPerSegment: Int { settings.timeline.stepsPerPart * settings.timeline.partsPerSegment }

  /// How much was made so far.
  package var length: Ticks {
    settings.timeline.segment * Int64(segments.count) + settings.timeline.step * Int64(stepsMade + stepsPutOff)
  }

  /// Whether there is a picture yet.
  package var hasPicture: Bool { shown != nil }

  /// Shows a new picture on the next step of the grid or, if it is the first of its slot, from the start of the slot
  /// on, as live stills do. If it throws `StillRefusal`, no step was made and the picture before can continue.
  package mutating func append(_ still: ByteBuffer) throws {
    try line.show(still)
    let jpeg = try line.jpeg()
    try append(try line.encode(stepsMade == 0 ? .idr : .new), showing: ShownPicture(step: stepsMade, jpeg: jpeg))
    try makeUp()
  }

  /// Keeps the current picture until the loop has this length; does nothing if it is longer.
  ///
  /// - Precondition: there is a picture.
  package mutating func hold(until length: Ticks) throws {
    precondition(hasPicture, "a loop begins with a picture")
    while self.length < length {
      if coded.isEmpty { stepsPutOff += 1 } else { try append(try line.encode(.repeated), showing: nil) }
      try makeUp()
    }
  }

  /// Encodes the steps that were put off, if nothing else can come into their slot.
  private mutating func makeUp() throws {
    guard coded.count + stepsPutOff == settings.timeline.stepsPerPart else { return }
    while stepsPutOff > 0 {
      stepsPutOff -= 1
      try append(try line.encode(stepsMade == 0 ? .idr : .repeated), showing: nil)
    }
  }

  /// Adds a picture that is coded already, with what begins to show with it.
  ///
  /// - Precondition: the first of each segment is an IDR picture, and the first of all is new.
  mutating func append(_ picture: CodedPicture, showing new: ShownPicture?) throws {
    if let new {
      shown = new.jpeg
      pictureCount += 1
    }
    guard let shown else { preconditionFailure("a loop begins with a picture") }
    if stepsMade == 0 { beginsAnew = new != nil }
    if stepsMade == 0 || new != nil {
      pictures.append(
        ShownPictureEntry(step: stepsMade, bytes: shown.readableBytes, slotOffset: new?.slotOffset))
      jpegs.writeImmutableBuffer(shown)
    }
    coded.append(picture)
    stepsMade += 1
    guard coded.count == settings.timeline.stepsPerPart else { return }
    let output = segmenter.append(coded)
    coded.removeAll(keepingCapacity: true)
    if let segment = output.segment { try store(segment) }
  }

  private mutating func store(_ segment: ByteBuffer) throws {
    let index = segments.count
    try folder.write(LoopManifest.mediaName(index), segment)
    try folder.write(LoopManifest.jpegsName(index), jpegs)
    segments.append(
      LoopManifest.SegmentEntry(
        media: LoopManifest.File(segment), jpegs: LoopManifest.File(jpegs), pictures: pictures,
        beginsAnew: beginsAnew))
    pictures.removeAll(keepingCapacity: true)
    jpegs = ByteBuffer()
    stepsMade = 0
  }

  /// Fills the last segment with the current picture, and replaces the previous loop.
  ///
  /// - Throws: `LoopError` if there is no picture or the loop cannot be stored.
  package consuming func finish(source: LoopSource, made: WallTime) throws -> Product {
    guard hasPicture else { throw LoopError(description: "there is no picture to make a loop of") }
    let end = length
    let segment = settings.timeline.segment
    if !end.isMultiple(of: segment) { try hold(until: segment * (end.floorDivided(by: segment) + 1)) }
    try folder.write(LoopManifest.initName, initSegment.bytes)
    let manifest = LoopManifest(
      made: made, source: source, settings: LoopSettings(settings), initSegment: initSegment.bytes, segments: segments)
    try folder.write(LoopManifest.fileName, try manifest.content)
    try folder.publish()
    return Product(
      segments: segments.count, length: length, filled: length - end, pictures: pictureCount,
      mediaBytes: segments.reduce(0) { $0 + $1.media.bytes }, path: "\(camera)/\(LoopFolder.name)")
  }
}
