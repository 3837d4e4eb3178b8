import NIOCore

/// Finds the line between the parts of a multipart body (RFC 2046, section 5.1.1).
struct DelimiterSearch: Sendable {
  /// The result of a search in the available bytes.
  enum Match: Equatable {
    /// This many bytes certainly do not belong to a delimiter; the rest must wait for more.
    case none(passed: Int)
    /// The delimiter comes after this many bytes of content and is `length` bytes long with its line break. It is the
    /// closing one if two hyphens follow, which are counted too.
    case found(at: Int, length: Int, isClosing: Bool)
  }

  /// The delimiter with its hyphens, without line breaks.
  let delimiter: [UInt8]

  /// Searches from the reader index on.
  ///
  /// - Parameter isLineStart: whether the first byte begins a line, so that no line break must come first.
  func search(_ bytes: ByteBuffer, isLineStart: Bool) -> Match {
    bytes.withUnsafeReadableBytes { bytes in
      if isLineStart, let match = match(bytes, at: 0, breakLength: 0) { return match }
      var from = 0
      while let lineFeed = bytes.firstOffset(of: 0x0A, from: from) {
        let breakLength = lineFeed > 0 && bytes[lineFeed - 1] == 0x0D ? 2 : 1
        if let match = match(bytes, at: lineFeed + 1, breakLength: breakLength) { return match }
        from = lineFeed + 1
      }
      // The second half of a line break may not have come yet.
      return .none(passed: bytes.last == 0x0D ? bytes.count - 1 : bytes.count)
    }
  }

  /// The delimiter in a whole line at the reader index.
  func lineMatch(_ bytes: ByteBuffer) -> Match? {
    bytes.withUnsafeReadableBytes { match($0, at: 0, breakLength: 0) }
  }

  /// The result at the start of a line; `nil` if it is not the delimiter.
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
    default: return nil  // A longer line that only begins in the same way.
    }
  }
}
