import Ingest
import Logging
import Media
import NIOCore
import Packager
import Picture

/// The way of a camera's pictures from JPEG to H.264: the FFmpeg workers of one camera and the picture they hold.
struct PictureLine: ~Copyable {
  private let settings: CameraSettings
  private let logger: Logger
  private let decoder = StillDecoder()
  private var filter: PictureFilter
  private var encoder: PictureEncoder
  private var jpegEncoder: JPEGEncoder
  private var photoMaker: PhotoMaker
  private let photoSize: PictureSize?
  /// The current picture.
  private(set) var current: StreamPicture
  /// Whether the encoder has to begin anew with the next picture.
  private var needsIDR = true

  /// Opens the workers; the current picture is the slate.
  ///
  /// - Parameter photoSize: the most that the photos of its pictures measure; `nil` makes none.
  /// - Throws: what FFmpeg refuses, with the setting in its words.
  static func open(_ settings: CameraSettings, photoSize: PictureSize? = nil, logger: Logger) throws(FFmpegError)
    -> PictureLine
  {
    let current = StreamPicture(try Frame.slate(size: settings.picture.size))
    let encoder = try openEncoder(settings)
    return PictureLine(
      settings: settings, logger: logger, filter: PictureFilter(settings: settings.picture), encoder: encoder,
      jpegEncoder: JPEGEncoder(quality: settings.latestQuality), photoSize: photoSize, current: current)
  }

  private init(
    settings: CameraSettings, logger: Logger, filter: consuming PictureFilter, encoder: consuming PictureEncoder,
    jpegEncoder: consuming JPEGEncoder, photoSize: PictureSize?, current: StreamPicture
  ) {
    self.photoSize = photoSize
    photoMaker = PhotoMaker(settings: settings.picture, limit: photoSize, quality: settings.latestQuality)
    self.settings = settings
    self.logger = logger
    self.filter = filter
    self.encoder = encoder
    self.jpegEncoder = jpegEncoder
    self.current = current
  }

  private static func openEncoder(_ settings: CameraSettings) throws(FFmpegError) -> PictureEncoder {
    try PictureEncoder(
      settings: settings.encoder, size: settings.picture.size, step: settings.timeline.step,
      rateWindow: settings.timeline.segment)
  }

  /// The encoder's parameter sets; `nil` before its first picture.
  var parameterSets: ParameterSets? { encoder.parameterSets }

  /// Makes a still the current picture. The picture before stays when it throws.
  ///
  /// - Throws: a `StillRefusal` or an `FFmpegError`.
  mutating func show(_ still: Still) throws {
    let header = try JPEGHeader(still.jpeg, maxPixels: settings.picture.maxPixels)
    let reduction = photoMaker.reduction(of: header)
    let decoded = try decoder.decode(still.jpeg, header: header, reduction: reduction)
    let photo = try photoMaker.photo(of: decoded, header: header, reduction: reduction)
    current = StreamPicture(
      try filter.process(decoded, orientation: header.orientation, reduction: reduction), photo: photo)
  }

  /// Makes a still the current picture that was decoded before.
  ///
  /// - Throws: an `FFmpegError`; the picture before stays.
  mutating func show(_ still: DecodedStill) throws(FFmpegError) {
    guard let frame = still.takeFrame() else { return }
    current = StreamPicture(
      try filter.process(frame, orientation: still.orientation, reduction: still.reduction), photo: still.photo)
  }

  /// Makes a picture the current one that was so before.
  mutating func show(_ picture: StreamPicture) { current = picture }

  /// Makes a picture that went through the filter in an earlier life the current one.
  ///
  /// - Throws: a `StillRefusal` or an `FFmpegError`; the picture before stays.
  mutating func restore(_ jpeg: ByteBuffer) throws {
    let header = try JPEGHeader(jpeg, maxPixels: settings.picture.maxPixels)
    let decoded = try decoder.decode(jpeg, header: header)
    var plain = PictureFilter(settings: PictureSettings(size: settings.picture.size, denoise: 0))
    let isPhoto = photoSize != nil && header.size.pixels > settings.picture.size.pixels
    current = StreamPicture(
      try plain.process(decoded, orientation: .upright), photo: isPhoto ? Photo(jpeg: jpeg, size: header.size) : nil)
  }

  /// Makes the slate the current one, and forgets what the filter remembers of the ones before.
  mutating func forget() throws(FFmpegError) {
    current = StreamPicture(try Frame.slate(size: settings.picture.size))
    filter = PictureFilter(settings: settings.picture)
    needsIDR = true
  }

  /// Codes the current picture once more. Should the encoder fail, it is made anew and the picture coded as its first.
  ///
  /// - Throws: when the new encoder fails too.
  mutating func encode(_ role: PictureEncoder.Role) throws(FFmpegError) -> CodedPicture {
    do throws(FFmpegError) {
      let coded = try encoder.encode(current.frame, as: needsIDR ? .idr : role)
      needsIDR = false
      return coded
    } catch {
      logger.error("the encoder failed and is made anew: \(error)")
      needsIDR = true
      encoder = try Self.openEncoder(settings)
      let coded = try encoder.encode(current.frame, as: .idr)
      needsIDR = false
      return coded
    }
  }

  /// Makes the next picture an IDR picture: what was coded before was not published.
  mutating func forceIDR() { needsIDR = true }

  /// The current picture as a JPEG of the stream's size, without metadata.
  mutating func jpeg() throws(FFmpegError) -> ByteBuffer { try jpegEncoder.encode(current.frame) }
}
