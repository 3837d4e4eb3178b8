import NIOCore

/// Gives the pictures of x264 numbers of their order, so that pictures that nothing refers to can stand between them.
///
/// x264 says that the order is that of decoding (`pic_order_cnt_type` 2), and then no two such pictures can follow each
/// other (ITU-T H.264, section 7.4.2.1.1). In the ordered stream the sequence parameter set says type 0, and each slice
/// has its number.
package struct PictureOrdering: Sendable {
  /// The parameter sets of the ordered stream.
  package let parameterSets: ParameterSets
  /// The syntax of its slices.
  package let syntax: SliceSyntax
  /// The most pictures from a reference picture to the next: the numbers are told from each other that far (section
  /// 8.2.1.1).
  package let mostDistance: Int
  private let raw: SliceSyntax

  /// An ordering of a stream with these parameter sets; `nil` where the stream has an order already or cannot be read.
  ///
  /// - Parameter pictures: how many pictures a segment has.
  package init?(_ sets: ParameterSets, pictures: Int) {
    var bits = 4
    while bits < 16, 1 << (bits - 1) <= 2 * pictures { bits += 1 }
    guard let raw = SliceSyntax(sets), raw.orderBits == 0, let sequence = Self.sequence(sets.sequence, raw, bits: bits)
    else { return nil }
    let ordered = ParameterSets(sequence: sequence, picture: sets.picture)
    guard let syntax = SliceSyntax(ordered), syntax.orderBits == bits else { return nil }
    (self.raw, self.syntax, parameterSets) = (raw, syntax, ordered)
    mostDistance = (1 << (bits - 2)) - 1
  }

  private static func sequence(_ unit: ByteBuffer, _ raw: SliceSyntax, bits count: Int) -> ByteBuffer? {
    guard let first = unit.readableBytesView.first else { return nil }
    let payload = EscapedUnit.payload(unit.readableBytesView.dropFirst())
    guard let last = payload.lastIndex(where: { $0 != 0 }) else { return nil }
    let end = (last + 1) * 8 - payload[last].trailingZeroBitCount
    guard end > raw.orderPlace.upperBound else { return nil }
    var writer = BitWriter()
    writer.append(payload, 0..<raw.orderPlace.lowerBound)
    writer.append(unsigned: 0)
    writer.append(unsigned: count - 4)
    writer.append(payload, raw.orderPlace.upperBound..<end)
    return ByteBuffer(bytes: [first] + EscapedUnit.escaped(writer.bytes))
  }

  /// A picture as it is in the ordered stream, with its `frame_num`; `nil` where it cannot be read.
  ///
  /// - Parameters:
  ///   - order: its place among the pictures since the IDR picture, which has 0.
  ///   - idrPictureID: the `idr_pic_id` of an IDR picture; `nil` leaves it as it is.
  package func ordered(
    _ picture: CodedPicture, order: Int, idrPictureID: Int?
  ) -> (picture: CodedPicture, frameNumber: Int)? {
    var (bytes, number) = (picture.bytes, Int?.none)
    var buffer = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + 16)
    while let unit = bytes.readLengthPrefixedSlice(as: UInt32.self) {
      guard let first = unit.getInteger(at: unit.readerIndex, as: UInt8.self) else { return nil }
      switch first & 0x1F {
      case 1, AnnexB.Kind.idrSlice:
        let slice = unit.withUnsafeReadableBytes { unit in
          number = raw.header(of: unit)?.frameNumber
          return raw.writing(order: 2 * order, bits: syntax.orderBits, idrPictureID: idrPictureID, in: unit)
        }
        guard let slice else { return nil }
        buffer.writeInteger(UInt32(slice.count))
        buffer.writeBytes(slice)
      case AnnexB.Kind.sequenceParameterSet:
        buffer.writeInteger(UInt32(parameterSets.sequence.readableBytes))
        buffer.writeImmutableBuffer(parameterSets.sequence)
      default:
        buffer.writeInteger(UInt32(unit.readableBytes))
        buffer.writeImmutableBuffer(unit)
      }
    }
    return number.map { (CodedPicture(bytes: buffer, isIDR: picture.isIDR), $0) }
  }
}
