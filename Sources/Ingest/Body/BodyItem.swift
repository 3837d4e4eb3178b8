import NIOCore

/// What a body turned out to hold at the place that has been read.
package enum BodyItem: Hashable, Sendable {
  /// Bytes that begin as a JPEG does: to its EOI marker, or to where the part or the body ended without one.
  case picture(ByteBuffer)
  /// A picture of more bytes than allowed; it has been dropped.
  case oversized
  /// More bytes that are no picture than anybody needs to send. Nothing more is read.
  case overflow
  /// The wrapping around the picture cannot be read; the sentence says why and where. Nothing more is read.
  case malformed(String)
}
