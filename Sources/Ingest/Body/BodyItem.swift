import NIOCore

/// An item of a body, found at the current position.
package enum BodyItem: Hashable, Sendable {
  /// Bytes that begin as a JPEG does: to its EOI marker, or to where the part or the body ended without one.
  case picture(ByteBuffer)
  /// A picture of more bytes than allowed; it was dropped.
  case oversized
  /// Too many bytes that belong to no picture. Nothing more is read.
  case overflow
  /// The syntax around the picture cannot be read; the sentence says why and where. Nothing more is read.
  case malformed(String)
}
