import NIOCore

/// Makes the pictures of an encoder that searches few references fit into a stream whose parameter sets name more, so
/// that one stream can have both and its init segment stays.
///
/// The number in the picture parameter set is only what slices have that say nothing else (ITU-T H.264, section
/// 7.4.2.2). So each P slice says its own (`num_ref_idx_active_override_flag`, section 7.3.3), and IDR pictures carry the
/// stream's sets. A decoder that keeps more pictures than the encoder shows the same, since the newest come first in its
/// list (section 8.2.4.2.1).
package struct ReferenceRewriter: Hashable, Sendable {
  private let syntax: SliceSyntax
  private let published: ParameterSets

  /// A rewriter from an encoder's sets to those of the stream; `nil` where they differ in anything else than how many
  /// references there are.
  package init?(from own: ParameterSets, to published: ParameterSets) {
    guard let bounds = SequenceBounds(own.sequence), let most = SequenceBounds(published.sequence),
      bounds.fits(into: most), let syntax = SliceSyntax(own),
      let target = SliceSyntax(published), Self.rest(of: own) == Self.rest(of: published),
      syntax.references <= target.references
    else { return nil }
    (self.syntax, self.published) = (syntax, published)
  }

  /// A picture parameter set without its number of references (section 7.3.2.2).
  private static func rest(of sets: ParameterSets) -> [UInt8] {
    var bits = BitReader(EscapedUnit.payload(sets.picture.readableBytesView))
    _ = bits.number(8)
    _ = (bits.unsigned(), bits.unsigned(), bits.number(2), bits.unsigned())
    let before = bits.position
    _ = bits.unsigned()
    let after = bits.position
    guard !bits.isOver, let last = bits.bytes.lastIndex(where: { $0 != 0 }) else { return [] }
    // Up to the stop bit: what follows only fills the byte.
    let end = (last + 1) * 8 - bits.bytes[last].trailingZeroBitCount
    guard end > after else { return [] }
    var writer = BitWriter()
    writer.append(bits.bytes, 0..<before)
    writer.append(bits.bytes, after..<end)
    return writer.bytes
  }

  /// The picture as the stream has it; `nil` where it cannot be read.
  package func rewritten(_ picture: CodedPicture) -> CodedPicture? {
    var bytes = picture.bytes
    var buffer = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + 24)
    while let unit = bytes.readLengthPrefixedSlice(as: UInt32.self) {
      switch unit.getInteger(at: unit.readerIndex, as: UInt8.self).map({ $0 & 0x1F }) {
      case AnnexB.Kind.sequenceParameterSet: append(published.sequence, to: &buffer)
      case AnnexB.Kind.pictureParameterSet: append(published.picture, to: &buffer)
      case AnnexB.Kind.slice:
        guard let slice = unit.withUnsafeReadableBytes({ rewritten($0) }) else { return nil }
        buffer.writeInteger(UInt32(slice.count))
        buffer.writeBytes(slice)
      default: append(unit, to: &buffer)
      }
    }
    return bytes.readableBytes == 0 ? CodedPicture(bytes: buffer, isIDR: picture.isIDR) : nil
  }

  private func append(_ unit: ByteBuffer, to buffer: inout ByteBuffer) {
    buffer.writeInteger(UInt32(unit.readableBytes))
    buffer.writeImmutableBuffer(unit)
  }

  /// A slice that says how many references it has.
  private func rewritten(_ unit: UnsafeRawBufferPointer) -> [UInt8]? {
    guard let first = unit.first else { return nil }
    var bits = BitReader(EscapedUnit.payload(unit.dropFirst()))
    guard let places = syntax.read(first, &bits)?.places else { return nil }
    // It says so already, or is an I slice.
    guard let place = places.standardReferences else { return Array(unit) }
    var writer = BitWriter()
    writer.append(bits.bytes, 0..<place)
    writer.append(true)
    writer.append(unsigned: syntax.references - 1)
    return syntax.finish(first, &writer, bits, from: place + 1)
  }
}
