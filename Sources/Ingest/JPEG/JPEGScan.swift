/// Finds where a JPEG ends while its bytes arrive, by walking its markers (ITU-T T.81, annex B).
///
/// It looks at nothing but what the length hangs on; whether the picture is any good is for others to say. Segments are
/// passed over by their length, so the EOI of a thumbnail in EXIF ends nothing. Junk between segments is passed over,
/// up to what a comment with a wrong length can leave.
struct JPEGScan: Sendable {
  /// The result of a piece of bytes.
  enum Step: Equatable {
    /// The picture continues.
    case unfinished
    /// The picture ends after this many bytes of the piece.
    case ended(Int)
    /// A new SOI is inside the coded data, which was cut off there, after this many bytes of the piece. Negative if its
    /// FF was the last byte of the piece before.
    case brokeOff(Int)
  }

  private enum State {
    /// A marker must come; `afterFF` once its FF has come.
    case marker(afterFF: Bool)
    /// The two bytes of a segment's length.
    case length(marker: UInt8, high: UInt8?)
    /// The rest of a segment, and how many bytes of "MPF\0" it has begun with.
    case segment(marker: UInt8, left: Int, matched: Int?)
    /// Entropy-coded data.
    case coded(afterFF: Bool)
    /// The markers are invalid from here on.
    case lost
    case ended
  }

  private static let mostJunk = 65_536
  private static let mpf: [UInt8] = [0x4D, 0x50, 0x46, 0x00]

  private var state = State.marker(afterFF: false)
  private var junk = 0
  /// Whether the picture says that others follow which belong to it (CIPA DC-007, multi-picture format): previews and
  /// depth maps, which are not new pictures.
  private(set) var hasSiblings = false

  /// A walk that begins after SOI.
  init() {}

  /// Walks over the next bytes.
  mutating func advance(over bytes: UnsafeRawBufferPointer) -> Step {
    var offset = 0
    while offset < bytes.count {
      switch state {
      case .marker(let afterFF):
        let byte = bytes[offset]
        offset += 1
        switch (afterFF, byte) {
        case (_, 0xFF): state = .marker(afterFF: true)
        case (false, _), (true, 0x00):
          junk += 1
          state = junk <= Self.mostJunk ? .marker(afterFF: false) : .lost
        case (true, _):
          enter(byte)
          if case .ended = state { return .ended(offset) }
        }
      case .length(let marker, let high):
        let byte = bytes[offset]
        offset += 1
        if let high {
          let left = Int(high) << 8 + Int(byte) - 2
          state = left < 0 ? .lost : .segment(marker: marker, left: left, matched: marker == 0xE2 ? 0 : nil)
        } else {
          state = .length(marker: marker, high: byte)
        }
      case .segment(let marker, 0, _):
        state = marker == 0xDA ? .coded(afterFF: false) : .marker(afterFF: false)
      case .segment(let marker, let left, let matched?) where matched < Self.mpf.count:
        let goesOn = bytes[offset] == Self.mpf[matched]
        offset += 1
        if goesOn, matched + 1 == Self.mpf.count { hasSiblings = true }
        state = .segment(marker: marker, left: left - 1, matched: goesOn ? matched + 1 : nil)
      case .segment(let marker, let left, _):
        let passed = min(left, bytes.count - offset)
        offset += passed
        state = .segment(marker: marker, left: left - passed, matched: nil)
      case .coded(false):
        guard let found = bytes.firstOffset(of: 0xFF, from: offset) else { return .unfinished }
        offset = found + 1
        state = .coded(afterFF: true)
      case .coded(true):
        let byte = bytes[offset]
        offset += 1
        switch byte {
        case 0x00, 0xD0...0xD7: state = .coded(afterFF: false)
        case 0xFF: break
        case 0xD8:
          state = .lost
          return .brokeOff(offset - 2)
        default:
          enter(byte)
          if case .ended = state { return .ended(offset) }
        }
      case .lost, .ended: return .unfinished
      }
    }
    return .unfinished
  }

  private mutating func enter(_ marker: UInt8) {
    switch marker {
    case 0xD9: state = .ended
    case 0xD0...0xD7, 0x01: state = .marker(afterFF: false)
    case 0x00, 0x02...0xBF, 0xD8: state = .lost
    default: state = .length(marker: marker, high: nil)
    }
  }
}
