import NIOCore

/// Keeps the table of header fields small that a client asks the server to keep for it (RFC 9113, section 6.5.2,
/// `SETTINGS_HEADER_TABLE_SIZE`).
///
/// NIO takes the size that the client says, up to 4 GiB, and looks through the whole table for each field. No server has
/// to use what the client allows (RFC 7541, section 4.2), so the client's word is changed before NIO reads it.
struct HeaderTableLimit {
  /// The most bytes: what HTTP/2 begins with.
  static let most: UInt32 = 4096

  private static let name: UInt16 = 1
  private static let entryLength = 6
  /// The third byte of four; those before are 0 in every size that is allowed.
  private static let high = UInt8(most >> 8)

  private var current: UInt16 = 0
  private var isOver = false

  /// Changes one piece of the payload of a SETTINGS frame.
  ///
  /// - Parameters:
  ///   - bytes: where it stands.
  ///   - piece: the pieces must come in their order, one after another.
  mutating func apply(to bytes: inout ByteBuffer, _ piece: FrameScan.Piece) {
    for (count, index) in piece.range.enumerated() {
      guard let byte = bytes.getInteger(at: index, as: UInt8.self) else { return }
      let limited = limited(byte, at: (piece.offset + count) % Self.entryLength)
      if limited != byte { bytes.setInteger(limited, at: index) }
    }
  }

  /// A byte as it may be. An entry is a name of two bytes and a value of four, the highest first.
  private mutating func limited(_ byte: UInt8, at place: Int) -> UInt8 {
    switch place {
    case 0: current = UInt16(byte) << 8
    case 1: (current, isOver) = (current | UInt16(byte), false)
    case _ where current != Self.name: break
    case 2, 3:
      isOver = isOver || byte != 0
      return 0
    case 4:
      defer { isOver = isOver || byte >= Self.high }
      return isOver ? Self.high : min(byte, Self.high)
    default: return isOver ? 0 : byte
    }
    return byte
  }
}
