import Ingest
import Media
import NIOCore
import Picture

/// A picture as it was decoded from a JPEG, with what the filter has to know of it.
struct DecodedPicture: ~Copyable {
  let frame: Frame
  /// How it has to be turned.
  let orientation: Orientation
  /// How often its sides were halved while it was decoded.
  let reduction: Int
  /// Its size before that.
  let size: PictureSize
  /// The same as a photo, if that shows more than the stream.
  let photo: Photo?

  /// Decodes a JPEG that the server has encoded, in its full size.
  ///
  /// - Parameter maxPixels: the most pixels that it may have.
  /// - Throws: a `StillRefusal`.
  static func decode(_ jpeg: ByteBuffer, maxPixels: Int) throws(StillRefusal) -> DecodedPicture {
    let header = try JPEGHeader(jpeg, maxPixels: maxPixels)
    return DecodedPicture(frame: try frame(jpeg, header), header, reduction: 0, photo: nil)
  }

  /// Decodes a still, no larger than its photo and its picture in the stream need it, and makes the photo.
  ///
  /// - Parameter maxPixels: the most pixels that it may have.
  /// - Throws: a `StillRefusal` or an `FFmpegError`.
  static func decode(_ jpeg: ByteBuffer, maxPixels: Int, for photos: inout PhotoMaker) throws -> DecodedPicture {
    let header = try JPEGHeader(jpeg, maxPixels: maxPixels)
    let reduction = photos.reduction(of: header)
    let frame = try frame(jpeg, header, reduction: reduction)
    let photo = try photos.photo(of: frame, header: header, reduction: reduction)
    return DecodedPicture(frame: frame, header, reduction: reduction, photo: photo)
  }

  private static func frame(_ jpeg: ByteBuffer, _ header: JPEGHeader, reduction: Int = 0) throws(StillRefusal) -> Frame
  {
    try StillDecoder().decode(jpeg, header: header, reduction: reduction)
  }

  private init(frame: consuming Frame, _ header: JPEGHeader, reduction: Int, photo: Photo?) {
    self.frame = frame
    orientation = header.orientation
    size = header.size
    self.reduction = reduction
    self.photo = photo
  }
}
