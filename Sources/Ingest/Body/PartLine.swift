/// What one line of a multipart body is, outside of the parts' content.
///
/// Cameras write the line between parts as they like: without its hyphens, without a line break behind it, or not at
/// all before the first part.
struct PartLine {
  /// What it is.
  enum Kind: Equatable {
    /// The line between two parts; with what is glued to it, which is the first line of the next part's head.
    case delimiter(rest: [UInt8]?)
    /// The line behind the last part.
    case closing
    /// A field of a part's head without a delimiter before it.
    case field
    case other
  }

  /// Longer lines are none of these.
  static let mostBytes = 1024

  /// Reads a line without its line break.
  ///
  /// - Parameters:
  ///   - delimiter: the delimiter with its hyphens; `nil` where none is known.
  ///   - boundary: the boundary that the body's label tells.
  static func kind(_ line: some Collection<UInt8>, delimiter: [UInt8]?, boundary: [UInt8]?) -> Kind {
    let line = trimmed(line)
    for mark in [delimiter, boundary.map { Array("--".utf8) + $0 }, boundary] {
      guard let mark, !mark.isEmpty, line.starts(with: mark) else { continue }
      let rest = line.dropFirst(mark.count)
      if rest.isEmpty { return .delimiter(rest: nil) }
      if rest.elementsEqual("--".utf8) { return .closing }
      if isField(rest) { return .delimiter(rest: Array(rest)) }
    }
    return isField(line) ? .field : .other
  }

  /// The delimiter that a line must be where none is known: it begins with two hyphens.
  static func delimiter(_ line: some Collection<UInt8>) -> [UInt8]? {
    let line = trimmed(line)
    guard (3...202).contains(line.count), line.starts(with: "--".utf8), line.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    return line
  }

  /// Whether a line is a field that says something about a part's content: `Content-Type: …`.
  static func isField(_ line: some Collection<UInt8>) -> Bool {
    let name = line.prefix { $0 != UInt8(ascii: ":") }
    guard name.count < line.count, name.count > 8, name.count < 40 else { return false }
    let known = Array("content-".utf8)
    return zip(name, known).allSatisfy { $0 | 0x20 == $1 }
      && name.allSatisfy { $0 == 0x2D || $0 == 0x20 || (0x61...0x7A).contains($0 | 0x20) }
  }

  private static func trimmed(_ line: some Collection<UInt8>) -> [UInt8] {
    var line = Array(line)
    while let last = line.last, last == 0x0D || last == 0x20 || last == 0x09 { line.removeLast() }
    return line
  }
}
