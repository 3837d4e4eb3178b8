import NIOCore

/// Finds where the head of a request ends, looking at each byte once however it trickles in.
struct RequestHeadScan {
  private var scanned = 0
  private var lineStart: Int?
  private var isEmptyLine = true
  private var hasFirstLine = false

  /// Whether no request begins like this, so that there is nothing to wait for.
  private(set) var isUnusual = false

  /// The count of bytes up to and with the empty line that ends the head; `nil` where it has not come. Empty lines
  /// before a request belong to it (RFC 9112, section 2.2).
  ///
  /// - Parameter bytes: all bytes from the first of the head on: those of the last call and perhaps more.
  mutating func end(in bytes: ByteBuffer) -> Int? {
    bytes.withUnsafeReadableBytes { bytes in
      while scanned < bytes.count {
        let byte = bytes[scanned]
        scanned += 1
        switch byte {
        case UInt8(ascii: "\n"):
          guard let start = lineStart else { continue }
          if isEmptyLine { return scanned }
          if !hasFirstLine { look(at: bytes[start..<scanned]) }
          isEmptyLine = true
        case UInt8(ascii: "\r"): continue
        default:
          if lineStart == nil {
            lineStart = scanned - 1
            // Methods are written in capital letters.
            isUnusual = !(65...90).contains(byte)
          }
          isEmptyLine = false
        }
      }
      return nil
    }
  }

  private mutating func look(at line: Slice<UnsafeRawBufferPointer>) {
    hasFirstLine = true
    let text = Self.withoutBlanks(Array(line))
    isUnusual = isUnusual || !(Self.ends(text, with: " HTTP/1.1") || Self.ends(text, with: " HTTP/1.0"))
  }

  /// A line without its line end, which is LF or CR LF, and without the spaces and tabs before that. Other control
  /// characters stay, so that the parser refuses them.
  static func withoutBlanks(_ line: [UInt8]) -> [UInt8] {
    var line = line
    if line.last == UInt8(ascii: "\n") {
      line.removeLast()
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
    }
    while let last = line.last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { line.removeLast() }
    return line
  }

  private static func ends(_ line: [UInt8], with text: String) -> Bool {
    line.suffix(text.utf8.count).elementsEqual(text.utf8)
  }
}
