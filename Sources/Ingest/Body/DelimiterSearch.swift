import NIOCore

/// Finds the line that stands between the parts of a multipart body (RFC 2046, section 5.1.1).
struct DelimiterSearch: Sendable {
  /// What stands in the bytes that are there.
  enum Match: Equatable {
    /// So many bytes are certainly none of the delimiter; the rest has to wait for more.
    case none(passed: Int)
    /// After so many bytes of content the delimiter stands, with its line break `length` bytes long. It is the closing one
    /// when two hyphens follow, which count in.
    case found(at: Int, length: Int, isClosing: Bool)
  }

  /// The delimiter with its hyphens, without line breaks.
  let delimiter: [UInt8]

  /// Searches from the reader index on.
  ///
  /// - Parameter isLineStart: whether the first byte begins a line, so that no line break has to come first.
  func search(_ bytes: ByteBuffer, isLineStart: Bool) -> Match {
    bytes.withUnsafeReadableBytes { bytes in
      if isLineStart, let match = match(bytes, at: 0, breakLength: 0) { return match }
      var from = 0
      while let lineFeed = bytes.firstOffset(of: 0x0A, from: from) {
        let breakLength = lineFeed > 0 && bytes[lineFeed - 1] == 0x0D ? 2 : 1
        if let match = match(bytes, at: lineFeed + 1, breakLength: breakLength) { return match }
        from = lineFeed + 1
      }
      // A line break may have its second half still to come.
      return .none(passed: bytes.last == 0x0D ? bytes.count - 1 : bytes.count)
    }
  }

  /// The delimiter that a whole line at the reader index is.
  func lineMatch(_ bytes: ByteBuffer) -> Match? {
    bytes.withUnsafeReadableBytes { match($0, at: 0, breakLength: 0) }
  }

  /// What stands at the beginning of a line; `nil` when it is not the delimiter.
  private func match(_ bytes: UnsafeRawBufferPointer, at start: Int, breakLength: Int) -> Match? {
    let unsure = Match.none(passed: start - breakLength)
    let available = min(delimiter.count, bytes.count - start)
    guard bytes[start..<start + available].elementsEqual(delimiter.prefix(available)) else { return nil }
    let end = start + delimiter.count
    guard end < bytes.count else { return unsure }
    switch bytes[end] {
    case 0x0A, 0x0D, 0x09, 0x20:
      return .found(at: start - breakLength, length: breakLength + delimiter.count, isClosing: false)
    case UInt8(ascii: "-"):
      guard end + 1 < bytes.count else { return unsure }
      guard bytes[end + 1] == UInt8(ascii: "-") else { return nil }
      return .found(at: start - breakLength, length: breakLength + delimiter.count + 2, isClosing: true)
    default: return nil  // A longer line, which only begins like it.
    }
  }
}
