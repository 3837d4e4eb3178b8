/// Splits a playlist into lines and refuses what no line can contain (rfc8216bis, section 4.1).
struct PlaylistLines {
  /// The largest playlist accepted, in bytes: room for several days of one-second segments.
  static let largestPlaylist = 1 << 20
  /// The longest line accepted, in bytes.
  static let longestLine = 16 << 10

  /// The number of the line returned last, counted from 1.
  private(set) var number = 0
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) throws(PlaylistError) {
    guard bytes.count <= Self.largestPlaylist else {
      throw PlaylistError(
        line: 0, "the playlist has \(bytes.count) bytes, more than the \(Self.largestPlaylist) that are read",
        section: "")
    }
    guard !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else {
      throw PlaylistError(
        line: 1, "the playlist begins with a byte order mark; save it as UTF-8 without one", section: "4.1")
    }
    self.bytes = bytes
  }

  /// The next line without its line end, LF or CR LF; `nil` at the end.
  mutating func next() throws(PlaylistError) -> ArraySlice<UInt8>? {
    guard position < bytes.count else { return nil }
    number += 1
    let lineFeed = UInt8(ascii: "\n")
    var end = position
    var isPlain = true
    // One pass finds the end and whether the line needs a closer look.
    while end < bytes.count {
      let byte = bytes[end]
      if byte == lineFeed { break }
      if byte < 0x20 || byte > 0x7E { isPlain = false }
      end += 1
    }
    var line = bytes[position..<end]
    position = end + 1
    if line.last == UInt8(ascii: "\r"), end < bytes.count { line.removeLast() }
    guard line.count <= Self.longestLine else {
      throw PlaylistError(
        line: number, "the line has \(line.count) bytes, more than the \(Self.longestLine) that are read", section: "")
    }
    if !isPlain { try check(line) }
    return line
  }

  private func check(_ line: ArraySlice<UInt8>) throws(PlaylistError) {
    if let control = line.first(where: { $0 < 0x20 || $0 == 0x7F }) {
      throw fail(control: UInt32(control))
    }
    guard line.contains(where: { $0 >= 0x80 }) else { return }
    guard let text = String(validating: line, as: UTF8.self) else {
      throw PlaylistError(line: number, "the line is not UTF-8; save the playlist as UTF-8", section: "4.1")
    }
    if let control = text.unicodeScalars.first(where: { (0x80...0x9F).contains($0.value) }) {
      throw fail(control: control.value)
    }
  }

  private func fail(control: UInt32) -> PlaylistError {
    let hexadecimal = String(control, radix: 16, uppercase: true)
    let code = "U+" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
    return PlaylistError(line: number, "the line has the control character \(code); remove it", section: "4.1")
  }
}
