import Ingest
import NIOCore
import Picture

/// A picture as it was decoded from a JPEG, with what the filter has to know of it.
struct DecodedPicture: ~Copyable {
  let frame: Frame
  /// How it has to be turned.
  let orientation: Orientation
  /// By how many powers of two it was made smaller while it was decoded.
  let reduction: Int

  /// Decodes a JPEG: the one way from a still, or a picture of ours, to a frame.
  ///
  /// - Parameters:
  ///   - maxPixels: the most pixels that it may have.
  ///   - reduction: by how many powers of two it is made smaller, where a filter can do with less.
  /// - Throws: a `StillRefusal`.
  static func decode(
    _ jpeg: ByteBuffer, maxPixels: Int, reduction: (JPEGHeader) -> Int = { _ in 0 }
  ) throws(StillRefusal) -> DecodedPicture {
    let header = try JPEGHeader(jpeg, maxPixels: maxPixels)
    let reduction = reduction(header)
    return DecodedPicture(
      frame: try StillDecoder().decode(jpeg, header: header, reduction: reduction), orientation: header.orientation,
      reduction: reduction)
  }
}
