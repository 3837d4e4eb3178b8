import Media

/// A segment of a live window: all that its playlist says about it, and what a new life of the process must know to
/// list it again.
package struct ListedSegment: Hashable, Sendable, Codable {
  /// The names of the segment and its parts.
  package let name: SegmentName
  /// The file name of the init segment that it needs.
  package let map: String
  /// When it begins, in civil time.
  package let date: WallTime
  /// Whether EXT-X-DISCONTINUITY stands before it.
  package let isDiscontinuous: Bool
  /// Whether a mark says that it shows a recording.
  package let isMarkedRecorded: Bool
  /// The bytes of each part that it has, in their order: where they begin in the segment.
  package var partBytes: [Int] = []
  /// The name of the whole, where the end of a process has cut the segment short: under its own name it may have been
  /// published longer.
  package var cutName: SegmentName?

  /// A segment of which nothing is known but its name and what is in it: enough to serve it on.
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

  /// The piece of the segment that is the part at an index.
  package func range(ofPart index: Int) -> Range<Int> {
    let start = partBytes[..<index].reduce(0, +)
    return start..<start + partBytes[index]
  }

  /// The bytes of all parts.
  package var byteCount: Int { partBytes.reduce(0, +) }
}
