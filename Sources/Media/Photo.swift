import NIOCore

/// A picture as people look at it for itself, larger than in the stream.
package struct Photo: Hashable, Sendable {
  /// The JPEG, without any metadata.
  package let jpeg: ByteBuffer
  /// Its size.
  package let size: PictureSize

  /// A photo of this size.
  package init(jpeg: ByteBuffer, size: PictureSize) {
    self.jpeg = jpeg
    self.size = size
  }
}
