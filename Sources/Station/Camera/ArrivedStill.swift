import Media
import NIOCore
import Picture

/// A still before its slot, with what has been done to it so far.
struct ArrivedStill {
  let still: Still
  /// Its decoded picture; `nil` if the slot decodes it.
  var decoded: DecodedStill?
  /// Its picture in the stream, if it was shown as the latest one already.
  var shown: (picture: StreamPicture, jpeg: ByteBuffer)?

  init(_ still: Still) { self.still = still }

  init(_ decoded: DecodedStill) {
    still = decoded.still
    self.decoded = decoded
  }
}

/// A picture of the stream, shared by all who use it.
final class StreamPicture {
  let frame: Frame
  /// The same as a photo, where that shows more.
  let photo: Photo?

  init(_ frame: consuming Frame, photo: Photo? = nil) {
    self.frame = frame
    self.photo = photo
  }
}
