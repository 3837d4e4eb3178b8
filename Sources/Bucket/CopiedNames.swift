import Packager
import Station

/// The names of the objects that this program writes.
extension CopyPlan {
  /// Whether it is an init segment, which shows nothing and whose name comes again.
  static func isInit(_ name: String) -> Bool { name.hasPrefix("init-") }

  /// Whether an object is one that this program writes, other than the documents.
  static func isOurs(_ name: String) -> Bool { isMedia(name) || PhotoName(name) != nil }

  /// Whether it is an init segment or a segment of the playlist without parts.
  static func isMedia(_ name: String) -> Bool {
    guard name.hasSuffix(".mp4"), !SegmentName.isPart(name) else { return false }
    if isInit(name) {
      return name.utf8.count < 100 && name.dropFirst(5).dropLast(4).allSatisfy { $0.isHexDigit }
    }
    return SegmentName(file: name).map(\.isPlain) ?? false && SegmentName.number(inFile: name) != nil
  }
}
