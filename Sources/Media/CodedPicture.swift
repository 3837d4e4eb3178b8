import NIOCore

/// One H.264 access unit as it stands in an MP4 sample: each NAL unit behind its length in four bytes, big-endian
/// (ISO/IEC 14496-15, section 4.3).
package struct CodedPicture: Sendable, Equatable {
  /// The access unit.
  package let bytes: ByteBuffer
  /// Whether it is an IDR picture, which decodes without any picture before it.
  package let isIDR: Bool

  /// An access unit of these bytes.
  package init(bytes: ByteBuffer, isIDR: Bool) {
    self.bytes = bytes
    self.isIDR = isIDR
  }
}
