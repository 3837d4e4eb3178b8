import NIOCore

/// How many pictures a sequence parameter set has a decoder keep, and all that it says besides (ITU-T H.264, sections
/// 7.3.2.1.1 and E.1.1).
struct SequenceBounds: Hashable, Sendable {
  /// `max_num_ref_frames`.
  let references: Int
  /// `max_dec_frame_buffering`.
  let buffered: Int
  /// The bits of all else.
  private let rest: [UInt8]

  /// Reads a set, a NAL unit; `nil` where it is none that x264 makes here: with a picture order of type 0 or 2, without
  /// fields, scaling lists and HRD parameters, and with restrictions of the bitstream.
  init?(_ unit: ByteBuffer) {
    var bits = BitReader(EscapedUnit.payload(unit.readableBytesView.dropFirst()))
    let profile = bits.number(8)
    _ = bits.number(16)
    _ = bits.unsigned()
    if profile >= 100 {
      guard bits.unsigned() == 1, bits.unsigned() == 0, bits.unsigned() == 0, !bits.flag(), !bits.flag() else {
        return nil
      }
    }
    _ = bits.unsigned()
    switch bits.unsigned() {
    case 0: _ = bits.unsigned()
    case 2: break
    default: return nil
    }
    var places = [0..<bits.position]
    references = bits.unsigned()
    let afterReferences = bits.position
    _ = (bits.flag(), bits.unsigned(), bits.unsigned())
    guard bits.flag() else { return nil }
    _ = bits.flag()
    if bits.flag() { _ = (bits.unsigned(), bits.unsigned(), bits.unsigned(), bits.unsigned()) }
    guard bits.flag(), Self.readToRestrictions(&bits) else { return nil }
    places.append(afterReferences..<bits.position)
    buffered = bits.unsigned()
    guard !bits.isOver, let last = bits.bytes.lastIndex(where: { $0 != 0 }) else { return nil }
    let end = (last + 1) * 8 - bits.bytes[last].trailingZeroBitCount
    guard end > bits.position else { return nil }
    places.append(bits.position..<end)
    var writer = BitWriter()
    for place in places { writer.append(bits.bytes, place) }
    rest = writer.bytes
  }

  /// Reads the usability information up to its last number, `max_dec_frame_buffering`.
  private static func readToRestrictions(_ bits: inout BitReader) -> Bool {
    // The shape of the pixels; 255 stands for one that is written out.
    if bits.flag(), bits.number(8) == 255 { _ = bits.number(32) }
    if bits.flag() { _ = bits.flag() }
    if bits.flag() {
      _ = bits.number(4)
      if bits.flag() { _ = bits.number(24) }
    }
    if bits.flag() { _ = (bits.unsigned(), bits.unsigned()) }
    if bits.flag() { _ = (bits.number(32), bits.number(32), bits.flag()) }
    guard !bits.flag(), !bits.flag() else { return false }
    _ = bits.flag()
    guard bits.flag() else { return false }
    _ = bits.flag()
    for _ in 0..<5 { _ = bits.unsigned() }
    return !bits.isOver
  }

  /// Whether a stream with this set can have the other one in its place: only a decoder's memory differs, and the other
  /// one has as much.
  func fits(into other: SequenceBounds) -> Bool {
    rest == other.rest && references <= other.references && buffered <= other.buffered
  }
}
