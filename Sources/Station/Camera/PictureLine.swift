import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture

/// A camera's pictures from JPEG to H.264: the FFmpeg workers of one camera and the current picture.
struct PictureLine: ~Copyable {
  private let settings: CameraSettings
  private let logger: Logger
  private var filter: PictureFilter
  /// `nil` before the first picture is encoded: it takes most of a camera's memory.
  private var encoder: PictureEncoder?
  private var photos: PhotoMaker
  private let photoSize: PictureSize?
  /// The current picture.
  private(set) var current: StreamPicture
  /// Whether the next picture must be an IDR picture.
  private var needsIDR = true
  /// The stream's parameter sets, which each encoder's pictures must fit to; `nil` until there are some.
  private let published: ParameterSets?
  /// How far the encoder is stepped down from the next IDR picture on.
  var level = LoadLevel.full
  /// The settings of the encoder, and those that it refused.
  private var opened: EncoderSettings?
  private var openedLevel = LoadLevel.full
  private var refused: Set<EncoderSettings> = []
  /// How often an encoder was opened, which takes much more work than a picture.
  private(set) var openings = 0
  /// Whether the work is late: see `PictureEncoder.isHurried`.
  var isHurried = false

  /// The workers of a camera; the current picture is the slate. The encoder is opened with the first picture that is
  /// encoded.
  ///
  /// - Parameters:
  ///   - photoSize: the most that the photos of its pictures measure; `nil` makes none.
  ///   - published: the parameter sets of the stream that it continues.
  /// - Throws: FFmpeg's error, with the setting in its message.
  static func open(
    _ settings: CameraSettings, photoSize: PictureSize? = nil, published: ParameterSets? = nil, logger: Logger
  ) throws(FFmpegError) -> PictureLine {
    let current = StreamPicture(try Frame.slate(size: settings.picture.size))
    return PictureLine(
      settings: settings, logger: logger, filter: PictureFilter(settings: settings.picture), photoSize: photoSize,
      published: published, current: current)
  }

  private init(
    settings: CameraSettings, logger: Logger, filter: consuming PictureFilter, photoSize: PictureSize?,
    published: ParameterSets?, current: StreamPicture
  ) {
    self.settings = settings
    self.logger = logger
    self.filter = filter
    encoder = nil
    self.photoSize = photoSize
    self.published = published
    photos = PhotoMaker(settings: settings.picture, limit: photoSize, quality: settings.latestQuality)
    self.current = current
  }

  private mutating func openEncoder(_ encoder: EncoderSettings) throws(FFmpegError) -> PictureEncoder {
    openings += 1
    return try PictureEncoder(
      settings: encoder, size: settings.picture.size, step: settings.timeline.step,
      rateWindow: settings.timeline.segment, published: published ?? parameterSets)
  }

  /// The encoder's settings at the present level.
  private var wanted: EncoderSettings {
    let stepped = level.settings(for: settings.encoder)
    return refused.contains(stepped) ? settings.encoder : stepped
  }

  /// How far the encoder is stepped down now; `nil` while there is none.
  var codedLevel: LoadLevel? { opened.map { $0 == wanted ? level : openedLevel } }

  /// The encoder's parameter sets; `nil` before its first picture, with which it is opened.
  private(set) var parameterSets: ParameterSets?

  /// Makes a still the current picture. If it throws, the previous picture stays.
  ///
  /// - Throws: a `StillRefusal` or an `FFmpegError`.
  mutating func show(_ jpeg: ByteBuffer) throws {
    try show(try DecodedPicture.decode(jpeg, maxPixels: settings.picture.maxPixels, for: &photos))
  }

  /// Makes a still that was decoded before the current picture.
  ///
  /// - Throws: an `FFmpegError`; the previous picture stays.
  mutating func show(_ picture: consuming DecodedPicture) throws(FFmpegError) {
    let (orientation, reduction, photo) = (picture.orientation, picture.reduction, picture.photo)
    current = StreamPicture(
      try filter.process(picture.frame, orientation: orientation, reduction: reduction), photo: photo)
  }

  /// Makes an earlier current picture the current one again.
  mutating func show(_ picture: StreamPicture) { current = picture }

  /// Makes a picture that an earlier process filtered the current one.
  ///
  /// - Throws: a `StillRefusal` or an `FFmpegError`; the previous picture stays.
  mutating func restore(_ jpeg: ByteBuffer) throws {
    let decoded = try DecodedPicture.decode(jpeg, maxPixels: settings.picture.maxPixels)
    var plain = PictureFilter(settings: Self.processed(settings.picture))
    let isPhoto = photoSize != nil && decoded.size.pixels > settings.picture.size.pixels
    let photo = isPhoto ? Photo(jpeg: jpeg, size: decoded.size) : nil
    current = StreamPicture(try plain.process(decoded.frame, orientation: .upright), photo: photo)
  }

  /// The settings for pictures that went through the filter before: crop, masks and the like must not be applied again.
  static func processed(_ settings: PictureSettings) -> PictureSettings {
    PictureSettings(size: settings.size, denoise: 0)
  }

  /// Makes the slate the current picture, and forgets what the filter remembers of earlier ones.
  mutating func forget() throws(FFmpegError) {
    current = StreamPicture(try Frame.slate(size: settings.picture.size))
    filter = PictureFilter(settings: settings.picture)
    needsIDR = true
  }

  /// Makes the slate the current picture, and makes all workers again: each keeps some of the pictures that it had.
  mutating func withdraw() throws(FFmpegError) {
    encoder = nil
    photos = PhotoMaker(settings: settings.picture, limit: photoSize, quality: settings.latestQuality)
    // After all that is freed here: those that are shared have pixels of it too.
    defer { SharedWorkers.forget() }
    try forget()
  }

  /// Gives back the memory that only new pictures need; see `PictureEncoder.release`.
  mutating func release() { encoder?.release() }

  /// Encodes the current picture again. If the encoder fails, a new one is made and the picture is its first.
  ///
  /// - Throws: if the new encoder fails too.
  mutating func encode(_ role: PictureEncoder.Role) throws(FFmpegError) -> CodedPicture {
    let role = needsIDR ? .idr : role
    guard encoder != nil, role != .idr || opened == wanted else { return try encodeAnew() }
    do throws(FFmpegError) {
      encoder!.isHurried = isHurried
      let coded = try encoder!.encode(current.frame, as: role)
      needsIDR = false
      return coded
    } catch {
      logger.error("the encoder failed and is made again: \(error)")
      return try encodeAnew()
    }
  }

  /// Encodes the current picture as the first of a new encoder.
  private mutating func encodeAnew() throws(FFmpegError) -> CodedPicture {
    needsIDR = true
    let wanted = wanted
    do throws(FFmpegError) {
      var fresh = try openEncoder(wanted)
      fresh.isHurried = isHurried
      if var last = encoder.take() {
        opened = nil
        fresh.takeLearning(of: &last)
      }
      let coded = try fresh.encode(current.frame, as: .idr)
      parameterSets = fresh.parameterSets
      encoder = consume fresh
      (opened, openedLevel) = (wanted, level)
      needsIDR = false
      return coded
    } catch {
      guard wanted != settings.encoder else { throw error }
      // The stream goes on with the camera's own settings.
      refused.insert(wanted)
      logger.error("the encoder cannot be stepped down to \(level): \(error)")
      return try encodeAnew()
    }
  }

  /// Opens the encoder and brings it to where it stands after these pictures of the slate, which another encoder has made
  /// with the same settings, so that the next picture can follow them. If it makes others, or fails, the next picture is
  /// an IDR picture of its own.
  mutating func follow(_ slate: ArraySlice<CodedPicture>) {
    guard parameterSets == nil, !slate.isEmpty else { return }
    do throws(FFmpegError) {
      let frame = try Frame.slate(size: settings.picture.size)
      let wanted = wanted
      var fresh = try openEncoder(wanted)
      for picture in slate {
        guard try fresh.encode(frame, as: picture.isIDR ? .idr : .repeated).bytes == picture.bytes else { return }
      }
      parameterSets = fresh.parameterSets
      encoder = consume fresh
      (opened, openedLevel) = (wanted, level)
      needsIDR = false
    } catch {
      // What is wrong with it is told when the next picture is encoded.
    }
  }

  /// Makes the next picture an IDR picture, because what was encoded before was not published.
  mutating func forceIDR() { needsIDR = true }

  /// The current picture as a JPEG of the stream's size, without metadata.
  func jpeg() throws(FFmpegError) -> ByteBuffer {
    try SharedWorkers.jpeg(of: current.frame, quality: settings.latestQuality)
  }
}
