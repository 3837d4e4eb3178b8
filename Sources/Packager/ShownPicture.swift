import Media
import NIOCore

/// A JPEG that begins to show at a step of a slot, a segment or a piece of either.
package struct ShownPicture: Hashable, Sendable {
  /// The index of the step, from 0.
  package var step: Int
  /// The picture in the stream's size; empty if it could not be encoded.
  package let jpeg: ByteBuffer
  /// The same as a photo, if that shows more.
  package var photo: Photo?
  /// The slot offset: how long after the slot began to collect stills its still arrived; `nil` if it is not known, as
  /// in a loop that was not made from the camera's stills.
  package var slotOffset: Ticks?
  /// When its still arrived; `nil` in a loop, whose pictures get a time when they show.
  package var time: WallTime?
  /// Whether it was already shown as the latest picture and reported to listeners.
  package var isReported = false

  /// A picture that begins to show at `step`.
  package init(
    step: Int, jpeg: ByteBuffer, photo: Photo? = nil, slotOffset: Ticks? = nil, time: WallTime? = nil,
    isReported: Bool = false
  ) {
    self.step = step
    self.jpeg = jpeg
    self.photo = photo
    self.slotOffset = slotOffset
    self.time = time
    self.isReported = isReported
  }

  /// The same picture, this many steps earlier.
  package func earlier(by steps: Int) -> ShownPicture {
    var picture = self
    picture.step -= steps
    return picture
  }
}

/// The entry of a picture in a list whose JPEGs are stored one after another elsewhere.
package struct ShownPictureEntry: Hashable, Sendable, Codable {
  /// As `ShownPicture.step`.
  package let step: Int
  /// The length of its JPEG.
  package let bytes: Int
  private let offset: Int64?

  private enum CodingKeys: String, CodingKey {
    case step, bytes
    case offset = "since"
  }

  /// As `ShownPicture.slotOffset`.
  package var slotOffset: Ticks? { offset.map { Ticks($0) } }

  /// An entry of a picture.
  package init(step: Int, bytes: Int, slotOffset: Ticks?) {
    self.step = step
    self.bytes = bytes
    offset = slotOffset?.count
  }

  /// The picture, whose JPEG is the next in `jpegs`; `nil` if that is too short.
  package func picture(from jpegs: inout ByteBuffer) -> ShownPicture? {
    jpegs.readSlice(length: bytes).map { ShownPicture(step: step, jpeg: $0, slotOffset: slotOffset) }
  }
}
