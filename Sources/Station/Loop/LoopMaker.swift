import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture

/// Makes a camera's loop: takes pictures in their order, codes them as the camera's own are coded, and stores them.
///
/// Its calls block for as long as coding and writing take; keep it on the encode threads. Should it be dropped before
/// `finish`, nothing of it stays and the old loop is what it was.
package struct LoopMaker: ~Copyable {
  /// What was made.
  package struct Product: Hashable, Sendable {
    /// How many segments.
    package let segments: Int
    /// How long one round is.
    package let length: Ticks
    /// How long the last picture stands beyond its own time to fill the last segment.
    package let filled: Ticks
    /// How many new pictures it shows.
    package let pictures: Int
    /// The bytes of all segments.
    package let mediaBytes: Int
    /// Where it lies.
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
  // The segment under way.
  private var stepsMade = 0
  /// Steps at the beginning of the slot under way at which the picture before goes on, and which are not coded yet: a
  /// live slot begins with the first still that came for it (`SlotPictures`), so these come after those that follow.
  private var stepsPutOff = 0
  private var coded: [CodedPicture] = []
  private var pictures: [ShownPictureEntry] = []
  private var jpegs = ByteBuffer()
  private var beginsAnew = false

  /// A maker of a loop for the camera with this folder in the store.
  ///
  /// - Parameter isProcessed: whether pictures come as viewers saw them, so that crop, masks and the like, which were
  ///   applied, must not be applied again.
  /// - Throws: `LoopError` if nothing can be written there, `FFmpegError` where the encoder refuses its settings.
  package static func open(
    folder: String, settings: CameraSettings, isProcessed: Bool = false, logger: Logger
  ) throws -> LoopMaker {
    var lineSettings = settings
    if isProcessed { lineSettings.picture = PictureSettings(size: settings.picture.size, fit: .contain, denoise: 0) }
    var line = try PictureLine.open(lineSettings, logger: logger)
    // The parameter sets come with a picture, and they have to be known first.
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

  /// Shows a new picture on the next step of the grid, or, if it is the first of its slot, from the slot's beginning
  /// on, as live stills do. When it throws `StillRefusal`, no step was made and the picture
  /// before may go on.
  package mutating func append(_ still: ByteBuffer) throws {
    try line.show(still)
    let jpeg = try line.jpeg()
    try append(try line.encode(stepsMade == 0 ? .idr : .new), showing: ShownPicture(step: stepsMade, jpeg: jpeg))
    try makeUp()
  }

  /// Lets the picture that is shown stand until the loop is so long; it changes nothing where it is longer.
  ///
  /// - Precondition: there is a picture.
  package mutating func hold(until length: Ticks) throws {
    precondition(hasPicture, "a loop begins with a picture")
    while self.length < length {
      if coded.isEmpty { stepsPutOff += 1 } else { try append(try line.encode(.repeated), showing: nil) }
      try makeUp()
    }
  }

  /// Codes the steps that were put off, if nothing else can come into their slot.
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

  /// Fills the last segment with the picture that is shown, and puts the loop into the place of the one before.
  ///
  /// - Throws: `LoopError` where no picture came or the loop cannot be stored.
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
