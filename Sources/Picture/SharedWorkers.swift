import CFFmpeg
import Media
import NIOCore

/// The JPEG encoders, meters of similarity and filter graphs that all cameras share.
package enum SharedWorkers {
  private struct JPEGShape: Equatable, Sendable {
    let input: Scaler.Input
    let quality: Int
  }

  private static let encoders = WorkerShelf<JPEGShape, JPEGEncoder>()
  private static let meters = WorkerShelf<SimilarityMeter.Shape, SimilarityMeter>()
  /// From stills to pictures of the streams.
  static let filters = SharedFilters()

  /// One JPEG picture of the frame: see `JPEGEncoder`.
  package static func jpeg(of picture: borrowing Frame, quality: Int) throws(FFmpegError) -> ByteBuffer {
    let generation = encoders.generation
    let picture = try picture.handedOver()
    picture.sayRangeByTag()
    let shape = JPEGShape(input: Scaler.Input(picture), quality: quality)
    var encoder = encoders.take(shape) ?? JPEGEncoder(quality: quality)
    let jpeg = try encoder.encode(picture)
    _ = consume picture
    encoders.put(encoder, shape, of: generation)
    return jpeg
  }

  /// The similarity of two pictures of one size: see `SimilarityMeter`.
  static func similarity(
    of picture: borrowing Frame, to reference: borrowing Frame
  ) throws(FFmpegError) -> Double {
    let generation = meters.generation
    let picture = try picture.handedOver()
    let reference = try reference.handedOver()
    let shape = SimilarityMeter.Shape(picture, reference)
    var meter = meters.take(shape) ?? SimilarityMeter()
    let similarity = try meter.measure(picture, reference)
    _ = consume picture
    _ = consume reference
    meters.put(meter, shape, of: generation)
    return similarity
  }

  /// Forgets the pictures of all cameras: whoever withdraws one, or ends, leaves nothing of it here.
  package static func forget() {
    encoders.forget()
    meters.forget()
    filters.forget()
  }
}
