import NIOCore

/// Finds the frames in the bytes of one direction of a connection by HTTP/2, wherever those are cut (RFC 9113,
/// section 4.1).
struct FrameScan {
  /// The kind of a frame.
  enum Kind {
    static let data = 0
    static let headers = 1
    static let settings = 4
    static let goAway = 7
    static let continuation = 9
  }

  /// Bytes of one frame's payload; none where it has no payload. The first piece of a frame has the offset 0.
  struct Piece: Equatable {
    /// The kind of the frame.
    let kind: Int
    /// How many bytes of the payload came before.
    let offset: Int
    /// Where the bytes stand in the buffer.
    let range: Range<Int>
  }

  private static let headLength = 9
  /// The kind of what comes before the first frame of a client, and is none.
  static let noKind = -1

  private var left: Int
  private var kind = Self.noKind
  private var offset = 0
  private var head: UInt32 = 0
  private var headCount = 0

  /// - Parameter before: how many bytes come before the first frame.
  init(before: Int) { left = before }

  /// The next piece of a payload; `nil` where the buffer has no further one.
  ///
  /// - Parameter index: where to go on in the buffer.
  mutating func next(in bytes: ByteBuffer, from index: inout Int) -> Piece? {
    while index < bytes.writerIndex {
      if left > 0 {
        let count = min(left, bytes.writerIndex - index)
        let piece = Piece(kind: kind, offset: offset, range: index..<index + count)
        (index, left, offset) = (index + count, left - count, offset + count)
        return piece
      }
      guard let byte = bytes.getInteger(at: index, as: UInt8.self) else { return nil }
      index += 1
      // The length and the kind are the first four bytes of a head.
      if headCount < 4 { head = head << 8 | UInt32(byte) }
      headCount += 1
      guard headCount == Self.headLength else { continue }
      (left, kind, offset) = (Int(head >> 8), Int(head & 255), 0)
      (head, headCount) = (0, 0)
      if left == 0 { return Piece(kind: kind, offset: 0, range: index..<index) }
    }
    return nil
  }
}
