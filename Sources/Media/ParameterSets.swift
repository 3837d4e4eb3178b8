import NIOCore

/// The parameter sets of an H.264 stream, which a player needs before the first picture.
package struct ParameterSets: Hashable, Sendable {
  /// The sequence parameter set, as a NAL unit without length or start code.
  package let sequence: ByteBuffer
  /// The picture parameter set, in the same form.
  package let picture: ByteBuffer

  init(sequence: ByteBuffer, picture: ByteBuffer) { (self.sequence, self.picture) = (sequence, picture) }

  /// Takes the sets out of an IDR access unit that has them; `nil` if one is missing.
  package init?(annexB bytes: UnsafeRawBufferPointer) {
    var sequence: ByteBuffer?
    var picture: ByteBuffer?
    AnnexB.forEachUnit(in: bytes) { kind, unit in
      if kind == AnnexB.Kind.sequenceParameterSet { sequence = sequence ?? ByteBuffer(bytes: unit) }
      if kind == AnnexB.Kind.pictureParameterSet { picture = picture ?? ByteBuffer(bytes: unit) }
    }
    guard let sequence, let picture, sequence.readableBytes >= 4 else { return nil }
    self.sequence = sequence
    self.picture = picture
  }

  /// Takes the sets out of an `avcC` record (ISO/IEC 14496-15, section 5.3.3.1); `nil` if one is missing.
  package init?(configurationRecord bytes: ByteBuffer) {
    var bytes = bytes
    guard bytes.readSlice(length: 5) != nil, let count = bytes.readInteger(as: UInt8.self), count & 0x1F >= 1,
      let sequence = bytes.readLengthPrefixedSlice(as: UInt16.self), sequence.readableBytes >= 4
    else { return nil }
    for _ in 1..<max(1, count & 0x1F) {
      guard bytes.readLengthPrefixedSlice(as: UInt16.self) != nil else { return nil }
    }
    guard let pictures = bytes.readInteger(as: UInt8.self), pictures >= 1,
      let picture = bytes.readLengthPrefixedSlice(as: UInt16.self), picture.readableBytes > 0
    else { return nil }
    self.sequence = sequence
    self.picture = picture
  }

  /// Takes the sets out of the first `avcC` box of an init segment; `nil` if there is none that has them.
  package init?(initSegment bytes: ByteBuffer) {
    let view = bytes.readableBytesView
    guard
      let place = view.indices.dropLast(8).first(where: { index in
        view[index] == 0x61 && view[index + 1] == 0x76 && view[index + 2] == 0x63 && view[index + 3] == 0x43
      }),
      let record = bytes.getSlice(at: place + 4, length: view.endIndex - place - 4)
    else { return nil }
    self.init(configurationRecord: record)
  }

  /// The name of the codec for `CODECS`, such as `avc1.64001E` (RFC 6381, section 3.3).
  package var codec: String {
    "avc1."
      + sequence.readableBytesView.dropFirst().prefix(3).map { byte in
        let text = String(byte, radix: 16, uppercase: true)
        return text.count == 1 ? "0" + text : text
      }.joined()
  }

  /// `level_idc`, with 9 for level 1b in all profiles (ITU-T H.264, section A.3.4.1).
  package var level: Int {
    let bytes = Array(sequence.readableBytesView.prefix(4))
    let isLowest = bytes[1] <= 77 && bytes[2] & 0x10 != 0 && bytes[3] == 11
    return isLowest ? 9 : Int(bytes[3])
  }

  /// The `avcC` record for the init segment (ISO/IEC 14496-15, section 5.3.3.1), for 8-bit 4:2:0.
  package var configurationRecord: ByteBuffer {
    var record = ByteBuffer()
    let profile = sequence.readableBytesView.dropFirst().prefix(3)
    record.writeInteger(UInt8(1))
    record.writeBytes(profile)
    record.writeInteger(UInt8(0xFF))  // Lengths of four bytes.
    record.writeInteger(UInt8(0xE1))  // One sequence parameter set.
    record.writeInteger(UInt16(sequence.readableBytes))
    record.writeImmutableBuffer(sequence)
    record.writeInteger(UInt8(1))
    record.writeInteger(UInt16(picture.readableBytes))
    record.writeImmutableBuffer(picture)
    if let first = profile.first, first >= 100 {
      record.writeBytes([0xFD, 0xF8, 0xF8, 0])  // Chroma 4:2:0, 8 bits, 8 bits, no extension sets.
    }
    return record
  }
}
