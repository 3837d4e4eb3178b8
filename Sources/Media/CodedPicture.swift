import NIOCore

/// One H.264 access unit in the form of an MP4 sample: each NAL unit after its length in four bytes, big-endian
/// (ISO/IEC 14496-15, section 4.3).
package struct CodedPicture: Sendable, Equatable {
  /// The access unit.
  package let bytes: ByteBuffer
  /// Whether it is an IDR picture, which decodes without any earlier picture.
  package let isIDR: Bool

  /// An access unit of these bytes.
  package init(bytes: ByteBuffer, isIDR: Bool) {
    self.bytes = bytes
    self.isIDR = isIDR
  }
}
