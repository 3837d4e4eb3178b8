import Media

/// A segment of a live window: all that its playlist says about it, and all that a new process must know to list it
/// again.
package struct ListedSegment: Hashable, Sendable, Codable {
  /// The names of the segment and its parts.
  package let name: SegmentName
  /// The file name of the init segment that it needs.
  package let map: String
  /// When it begins, in wall clock time.
  package let date: WallTime
  /// Whether EXT-X-DISCONTINUITY comes before it.
  package let isDiscontinuous: Bool
  /// Whether a date range says that it shows the loop.
  package let isMarkedRecorded: Bool
  /// The byte ranges of its parts in the segment, in order.
  package var partBytes: [Int] = []
  /// The name of the whole segment, if the end of a process has cut it short: under its own name, it may have been
  /// published longer.
  package var cutName: SegmentName?

  /// A segment of which only the name and the parts are known, which is enough to keep serving it.
  package init(found name: SegmentName, partBytes: [Int]) {
    self.init(name: name, map: "", date: WallTime(milliseconds: 0), isDiscontinuous: false, isMarkedRecorded: false)
    self.partBytes = partBytes
  }

  init(name: SegmentName, map: String, date: WallTime, isDiscontinuous: Bool, isMarkedRecorded: Bool) {
    self.name = name
    self.map = map
    self.date = date
    self.isDiscontinuous = isDiscontinuous
    self.isMarkedRecorded = isMarkedRecorded
  }

  /// The file name of the whole segment.
  package var file: String { (cutName ?? name).file }

  /// The byte range of a part, by index.
  package func range(ofPart index: Int) -> Range<Int> {
    let start = partBytes[..<index].reduce(0, +)
    return start..<start + partBytes[index]
  }

  /// The bytes of all parts.
  package var byteCount: Int { partBytes.reduce(0, +) }
}
