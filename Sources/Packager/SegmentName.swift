/// The file names of a segment and its parts.
///
/// A name is not the media sequence number: the sequence of a playlist goes on over a restart without a gap, while the
/// names of a new life of the process keep clear of all that the old one may have used and caches may still hold.
package struct SegmentName: Hashable, Sendable, Codable {
  private let stem: String

  /// The name of a segment that is made once: `number` is used for no other in the life of a camera.
  package init(number: Int) { stem = "\(number)" }

  /// The name of a segment without parts, for players that know none; likewise.
  package init(plain number: Int) { stem = "p\(number)" }

  /// The name of a loop's segment, which comes again on each round; `key` is made of the loop's content.
  package init(loop key: String, index: Int) { stem = "loop-\(key)-\(index)" }

  /// Whether it is a loop's, which has a timeline of its own.
  package var isOfLoop: Bool { stem.hasPrefix("loop-") }

  /// Whether it is one of the playlist without parts.
  package var isPlain: Bool { stem.hasPrefix("p") }

  /// The number in the name of a file of media, whole or part; `nil` where there is none, as in a loop's.
  package static func number(inFile file: String) -> Int? {
    let stem = file.prefix { $0 != "." }
    return Int(stem.hasPrefix("p") ? stem.dropFirst() : stem)
  }

  /// The file name of the whole segment.
  package var file: String { stem + ".mp4" }

  /// The file name of the part at an index.
  package func part(_ index: Int) -> String { "\(stem).\(index).mp4" }

  /// Whether a file name is a part's.
  package static func isPart(_ file: String) -> Bool { file.utf8.count { $0 == UInt8(ascii: ".") } == 2 }

  /// The name whose whole segment has this file name; `nil` where no segment has it.
  package init?(file: String) {
    guard file.hasSuffix(".mp4"), !file.hasPrefix("init-") else { return nil }
    self.init(stem: String(file.dropLast(4)))
  }

  private init?(stem: String) {
    guard (1...64).contains(stem.utf8.count),
      stem.utf8.allSatisfy({ $0 == 45 || (48...57).contains($0) || (97...122).contains($0) })
    else { return nil }
    self.stem = stem
  }

  /// Reads what was written: the stem, as a plain string.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let name = SegmentName(stem: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no segment has such a name")
    }
    self = name
  }

  /// Writes the stem as a plain string.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(stem)
  }
}
