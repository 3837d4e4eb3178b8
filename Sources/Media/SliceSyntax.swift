import NIOCore

/// Reads the headers of slices as the parameter sets of their stream say they are written (ITU-T H.264, section 7.3.3),
/// and rewrites their `idr_pic_id`.
///
/// x264 counts `idr_pic_id` 0, 1, 0, 1, once more for each trial, so that recorded segments among live ones would show.
/// Where a segment has several pictures, no two IDR pictures are adjacent, so none has to differ, and all have 0.
package struct SliceSyntax: Hashable, Sendable {
  let frameNumberBits: Int
  /// The bits of `pic_order_cnt_lsb`; zero where the order is that of decoding.
  let orderBits: Int
  /// Where the sequence parameter set says of which type the order is, in bits of its payload.
  let orderPlace: Range<Int>
  /// The macroblocks of a picture.
  let macroblocks: Int
  let isCABAC: Bool
  let hasBottomOrder: Bool
  let hasDeblocking: Bool
  let hasRedundantCount: Bool
  let hasWeights: Bool
  /// The references of a slice that does not say how many it has.
  let references: Int
  /// The quantizer of a slice with a `slice_qp_delta` of 0.
  let initialQuantizer: Int

  /// Reads what the headers of slices consist of; `nil` for streams that x264 does not make here: fields, slice groups,
  /// scaling lists, a picture order of type 1.
  package init?(_ sets: ParameterSets) {
    var bits = BitReader(EscapedUnit.payload(sets.sequence.readableBytesView.dropFirst()))
    let profile = bits.number(8)
    _ = bits.number(16)
    _ = bits.unsigned()
    if profile >= 100 {
      guard bits.unsigned() == 1, bits.unsigned() == 0, bits.unsigned() == 0 else { return nil }
      _ = bits.flag()
      guard !bits.flag() else { return nil }
    }
    frameNumberBits = bits.unsigned() + 4
    let orderBegin = bits.position
    switch bits.unsigned() {
    case 0: orderBits = bits.unsigned() + 4
    case 2: orderBits = 0
    default: return nil
    }
    orderPlace = orderBegin..<bits.position
    _ = bits.unsigned()
    _ = bits.flag()
    let (columns, rows) = (bits.unsigned() + 1, bits.unsigned() + 1)
    // A side has at most 4096 pixels.
    guard columns <= 256, rows <= 256 else { return nil }
    macroblocks = columns * rows
    guard bits.flag(), !bits.isOver, frameNumberBits <= 16, orderBits <= 16 else { return nil }
    bits = BitReader(EscapedUnit.payload(sets.picture.readableBytesView.dropFirst()))
    _ = (bits.unsigned(), bits.unsigned())
    isCABAC = bits.flag()
    hasBottomOrder = bits.flag()
    guard bits.unsigned() == 0 else { return nil }
    references = bits.unsigned() + 1
    _ = bits.unsigned()
    hasWeights = bits.flag()
    _ = bits.number(2)
    initialQuantizer = 26 + bits.signed()
    _ = (bits.signed(), bits.signed())
    hasDeblocking = bits.flag()
    _ = bits.flag()
    hasRedundantCount = bits.flag()
    guard !bits.isOver, references <= 32 else { return nil }
  }

  // MARK: Reading

  /// The header of a slice, a NAL unit without length or start code; `nil` where it is no whole slice of type P or I.
  package func header(of unit: UnsafeRawBufferPointer) -> SliceHeader? {
    // No header is longer.
    var bits = BitReader(EscapedUnit.payload(unit.dropFirst().prefix(512)))
    return unit.first.flatMap { read($0, &bits)?.header }
  }

  /// The headers of all slices of an access unit.
  package func headers(of picture: CodedPicture) -> [SliceHeader] {
    var (bytes, headers) = (picture.bytes, [SliceHeader]())
    while let unit = bytes.readLengthPrefixedSlice(as: UInt32.self) {
      guard let kind = unit.getInteger(at: unit.readerIndex, as: UInt8.self), [1, 5].contains(kind & 0x1F) else {
        continue
      }
      if let header = unit.withUnsafeReadableBytes({ header(of: $0) }) { headers.append(header) }
    }
    return headers
  }

  /// What of a header can be rewritten.
  struct Places {
    /// The bits of the identifier of an IDR picture.
    var id = 0..<0
    /// The bit that says that a P slice has as many references as the picture parameter set says, where it does.
    var standardReferences: Int?
  }

  /// Reads a header, and tells where things stand in it. Then `bits` is at the data of the slice.
  func read(_ first: UInt8, _ bits: inout BitReader) -> (header: SliceHeader, places: Places)? {
    var (header, places) = (SliceHeader(), Places())
    header.referenceIDC = Int(first >> 5) & 3
    header.isIDR = first & 0x1F == AnnexB.Kind.idrSlice
    (header.firstMacroblock, header.type) = (bits.unsigned(), bits.unsigned())
    guard [0, 2, 5, 7].contains(header.type) else { return nil }
    let isP = header.type % 5 == 0
    header.pictureSet = bits.unsigned()
    header.frameNumber = bits.number(frameNumberBits)
    let begin = bits.position
    if header.isIDR { header.idrPictureID = bits.unsigned() }
    places.id = begin..<bits.position
    if orderBits > 0 {
      header.pictureOrder = bits.number(orderBits)
      if hasBottomOrder { _ = bits.signed() }
    }
    if hasRedundantCount { _ = bits.unsigned() }
    if isP {
      let place = bits.position
      if bits.flag() { header.references = bits.unsigned() + 1 } else { places.standardReferences = place }
      guard readReorderings(&header, &bits) else { return nil }
      if hasWeights { readWeights(&header, &bits) }
    }
    if header.referenceIDC > 0 { readMarking(&header, &bits) }
    if isCABAC, isP { header.cabacTable = bits.unsigned() }
    header.quantizer = bits.signed()
    if hasDeblocking {
      header.deblocking = [bits.unsigned()]
      if header.deblocking[0] != 1 { header.deblocking += [bits.signed(), bits.signed()] }
    }
    return bits.isOver ? nil : (header, places)
  }

  /// Section 7.3.3.1.
  private func readReorderings(_ header: inout SliceHeader, _ bits: inout BitReader) -> Bool {
    guard bits.flag() else { return true }
    while header.reorderings.count <= 66, !bits.isOver {
      let kind = bits.unsigned()
      if kind == 3 { return true }
      guard kind < 3 else { return false }
      header.reorderings.append([kind, bits.unsigned()])
    }
    return false
  }

  /// Section 7.3.3.2.
  private func readWeights(_ header: inout SliceHeader, _ bits: inout BitReader) {
    header.weights = [bits.unsigned(), bits.unsigned()]
    for _ in 0..<min(32, header.references ?? references) {
      if bits.flag() { header.weights += [bits.signed(), bits.signed()] }
      if bits.flag() { header.weights += (0..<4).map { _ in bits.signed() } }
    }
  }

  /// Section 7.3.3.3.
  private func readMarking(_ header: inout SliceHeader, _ bits: inout BitReader) {
    if header.isIDR {
      header.marking = [bits.number(1), bits.number(1)]
    } else if bits.flag() {
      while header.marking.count <= 66, !bits.isOver {
        let operation = bits.unsigned()
        header.marking.append(operation)
        guard operation > 0, operation < 7 else { return }
        if operation != 5 { header.marking.append(bits.unsigned()) }
        if operation == 3 { header.marking.append(bits.unsigned()) }
      }
    }
  }

  // MARK: Rewriting

  /// A slice of an IDR picture with this `idr_pic_id`, from 0 to 65535; `nil` where it has that already, or is no whole
  /// slice.
  package func writing(idrPictureID value: Int, in unit: UnsafeRawBufferPointer) -> [UInt8]? {
    guard let old = header(of: unit)?.idrPictureID, old != value else { return nil }
    return rewriting(unit) { $0.append(unsigned: value) }
  }

  /// A slice without a number of its order, with this one, of so many bits, and if it is of an IDR picture, with this
  /// `idr_pic_id`, or as it is; `nil` where it is no whole slice.
  func writing(
    order: Int, bits count: Int, idrPictureID: Int?, in unit: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    guard let old = header(of: unit) else { return nil }
    return rewriting(unit) { writer in
      if let id = old.idrPictureID { writer.append(unsigned: idrPictureID ?? id) }
      writer.append(order, bits: count)
    }
  }

  /// A slice with something else in the place of its `idr_pic_id`, which other slices than those of IDR pictures do not
  /// have there.
  private func rewriting(_ unit: UnsafeRawBufferPointer, _ write: (inout BitWriter) -> Void) -> [UInt8]? {
    guard let first = unit.first else { return nil }
    var bits = BitReader(EscapedUnit.payload(unit.dropFirst()))
    guard let place = read(first, &bits)?.places.id else { return nil }
    var writer = BitWriter()
    writer.append(bits.bytes, 0..<place.lowerBound)
    write(&writer)
    return finish(first, &writer, bits, from: place.upperBound)
  }

  /// The slice whose header's beginning is in `writer`, with what stands from `place` on as it was.
  func finish(_ first: UInt8, _ writer: inout BitWriter, _ bits: BitReader, from place: Int) -> [UInt8]? {
    if isCABAC {
      writer.append(bits.bytes, place..<bits.position)
      // The data of the slice begins with a byte (cabac_alignment_one_bit).
      while !writer.isAligned { writer.append(true) }
      let data = (bits.position + 7) / 8
      guard data < bits.bytes.count else { return nil }
      return [first] + EscapedUnit.escaped(writer.bytes + bits.bytes[data...])
    }
    // Everything up to the stop bit moves.
    guard let last = bits.bytes.lastIndex(where: { $0 != 0 }) else { return nil }
    let end = (last + 1) * 8 - bits.bytes[last].trailingZeroBitCount
    guard end > bits.position else { return nil }
    writer.append(bits.bytes, place..<end)
    return [first] + EscapedUnit.escaped(writer.bytes)
  }

  /// An IDR picture with this `idr_pic_id`; other pictures, and those that have it, as they are.
  package func writing(idrPictureID value: Int, in picture: CodedPicture) -> CodedPicture {
    guard picture.isIDR else { return picture }
    var (bytes, isChanged) = (picture.bytes, false)
    var buffer = ByteBufferAllocator().buffer(capacity: bytes.readableBytes + 16)
    while let unit = bytes.readLengthPrefixedSlice(as: UInt32.self) {
      let isSlice = unit.getInteger(at: unit.readerIndex, as: UInt8.self).map { $0 & 0x1F } == AnnexB.Kind.idrSlice
      let slice = isSlice ? unit.withUnsafeReadableBytes { writing(idrPictureID: value, in: $0) } : nil
      if let slice {
        buffer.writeInteger(UInt32(slice.count))
        buffer.writeBytes(slice)
        isChanged = true
      } else {
        buffer.writeInteger(UInt32(unit.readableBytes))
        buffer.writeImmutableBuffer(unit)
      }
    }
    return isChanged ? CodedPicture(bytes: buffer, isIDR: true) : picture
  }

  /// The `idr_pic_id` of an IDR picture; `nil` of others.
  package func idrPictureID(of picture: CodedPicture) -> Int? {
    picture.isIDR ? headers(of: picture).first?.idrPictureID : nil
  }
}
