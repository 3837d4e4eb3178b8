import NIOCore

/// Writes pictures that show the last reference picture once more: one P slice, all of whose macroblocks are skipped, in
/// some twenty bytes, which nothing refers to (`nal_ref_idc` 0).
///
/// An encoder needs a whole analysis for that, and afterwards searches the same picture twice.
package struct SkippedPicture: Sendable {
  /// The coarsest quantizer: with it, `mb_skip_flag` is thought likely from the first macroblock on.
  private static let quantizer = 51

  private let syntax: SliceSyntax
  /// What follows the header of the slice, of a stream with CABAC.
  private let data: [UInt8]

  /// A writer for streams of this syntax; `nil` where the order of pictures is that of decoding, which has no place for
  /// two such pictures in a row (ITU-T H.264, section 7.4.2.1.1).
  package init?(_ syntax: SliceSyntax) {
    guard syntax.orderBits > 0, !syntax.hasBottomOrder, !syntax.hasRedundantCount else { return nil }
    self.syntax = syntax
    data = syntax.isCABAC ? Self.data(macroblocks: syntax.macroblocks) : []
  }

  /// One of the pictures.
  ///
  /// - Parameters:
  ///   - frameNumber: `frame_num`, one more than that of the reference picture.
  ///   - order: its place among the pictures since the IDR picture, which has 0.
  package func picture(frameNumber: Int, order: Int) -> CodedPicture {
    var writer = BitWriter()
    writer.append(unsigned: 0)
    writer.append(unsigned: 5)  // All slices of the picture are of type P.
    writer.append(unsigned: 0)
    writer.append(frameNumber, bits: syntax.frameNumberBits)
    writer.append(2 * order, bits: syntax.orderBits)
    // One reference, the newest, without weights.
    writer.append(syntax.references != 1)
    if syntax.references != 1 { writer.append(unsigned: 0) }
    writer.append(false)
    if syntax.hasWeights {
      writer.append(unsigned: 0)
      writer.append(unsigned: 0)
      writer.append(0, bits: 2)
    }
    if syntax.isCABAC { writer.append(unsigned: 0) }
    writer.append(signed: Self.quantizer - syntax.initialQuantizer)
    if syntax.hasDeblocking { writer.append(unsigned: 1) }
    if syntax.isCABAC {
      while !writer.isAligned { writer.append(true) }
    } else {
      writer.append(unsigned: syntax.macroblocks)
      writer.append(true)
    }
    let unit = EscapedUnit.escaped(writer.bytes + data)
    var bytes = ByteBufferAllocator().buffer(capacity: 5 + unit.count)
    bytes.writeInteger(UInt32(1 + unit.count))
    bytes.writeInteger(UInt8(1))  // A slice of a picture that is no IDR picture, with nal_ref_idc 0.
    bytes.writeBytes(unit)
    return CodedPicture(bytes: bytes, isIDR: false)
  }

  /// Pictures that follow another and show it once more.
  ///
  /// - Parameters:
  ///   - picture: the one before.
  ///   - order: its place among the pictures since the IDR picture.
  /// - Returns: `nil` where the picture before cannot be read.
  package func pictures(after picture: CodedPicture, order: Int, count: Int) -> [CodedPicture]? {
    guard let header = syntax.headers(of: picture).first else { return nil }
    let number = header.frameNumber + (header.referenceIDC > 0 ? 1 : 0)
    return (0..<count).map { self.picture(frameNumber: number, order: order + 1 + $0) }
  }

  /// `mb_skip_flag` 1 and `end_of_slice_flag` of each macroblock (ITU-T H.264, sections 7.3.4 and 9.3.4). The first is
  /// always the more probable symbol of its context, 11, whose state grows with each.
  private static func data(macroblocks: Int) -> [UInt8] {
    // With cabac_init_idc 0 the context begins at ((23 * 51) >> 4) + 33 = 106.
    var (state, coder) = (106 - 64, ArithmeticCoder())
    for index in 0..<macroblocks {
      coder.encodeProbable(less: Self.lessProbable[state - 42])
      state = min(state + 1, 62)
      coder.encodeTermination(index == macroblocks - 1)
    }
    return coder.bytes
  }

  /// The ranges of the less probable symbol in the states 42 to 62 (table 9-44).
  private static let lessProbable: [[Int]] = [
    [16, 20, 23, 27], [15, 19, 22, 25], [14, 18, 21, 24], [14, 17, 20, 23], [13, 16, 19, 22], [12, 15, 18, 21],
    [12, 14, 17, 20], [11, 14, 16, 19], [11, 13, 15, 18], [10, 12, 15, 17], [10, 12, 14, 16], [9, 11, 13, 15],
    [9, 11, 12, 14], [8, 10, 12, 14], [8, 9, 11, 13], [7, 9, 11, 12], [7, 9, 10, 12], [7, 8, 10, 11], [6, 8, 9, 11],
    [6, 7, 9, 10], [6, 7, 8, 9],
  ]
}

/// What of the arithmetic encoder of H.264 skipped macroblocks need (ITU-T H.264, section 9.3.4.2).
private struct ArithmeticCoder {
  private var (low, range) = (0, 510)
  private var isFirst = true
  private var outstanding = 0
  private var writer = BitWriter()

  /// What was written, after the termination with the stop bit of the slice.
  var bytes: [UInt8] { writer.bytes }

  /// Encodes a symbol that is the more probable one.
  mutating func encodeProbable(less ranges: [Int]) {
    range -= ranges[range >> 6 & 3]
    renormalize()
  }

  /// Encodes whether this is the end, and if so writes all that is left.
  mutating func encodeTermination(_ isEnd: Bool) {
    range -= 2
    guard isEnd else { return renormalize() }
    low += range
    range = 2
    renormalize()
    put(low >> 9 & 1)
    writer.append(low >> 7 & 3 | 1, bits: 2)
  }

  private mutating func renormalize() {
    while range < 256 {
      if low < 256 {
        put(0)
      } else if low >= 512 {
        low -= 512
        put(1)
      } else {
        low -= 256
        outstanding += 1
      }
      range <<= 1
      low <<= 1
    }
  }

  private mutating func put(_ bit: Int) {
    if isFirst { isFirst = false } else { writer.append(bit == 1) }
    while outstanding > 0 {
      writer.append(bit == 0)
      outstanding -= 1
    }
  }
}
