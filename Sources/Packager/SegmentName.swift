/// The file names of a segment and its parts.
///
/// A name is not the media sequence number: the sequence of a playlist continues over a restart without a gap, while a
/// new process uses names that the old one cannot have used and no cache can have.
package struct SegmentName: Hashable, Sendable, Codable {
  private let stem: String

  /// The name of a segment that is made once; `number` is never used again for this camera.
  package init(number: Int) { stem = "\(number)" }

  /// The same for a segment without parts, of `plain.m3u8`.
  package init(plain number: Int) { stem = "p\(number)" }

  /// The name of a loop's segment, which comes again in each round; `key` is made from the loop's content.
  package init(loop key: String, index: Int) { stem = "loop-\(key)-\(index)" }

  /// Whether it is a loop's segment, with a timeline of its own.
  package var isOfLoop: Bool { stem.hasPrefix("loop-") }

  /// Whether it is a segment of `plain.m3u8`.
  package var isPlain: Bool { stem.hasPrefix("p") }

  /// The name of the segment after this one, as long as both are of one life of the process and nothing comes between
  /// them; `nil` for a loop's and for those without parts.
  package var following: SegmentName? {
    // A file of the store can have any name.
    Int(stem).flatMap { $0 < .max ? SegmentName(number: $0 + 1) : nil }
  }

  /// The number in the name of a media file, segment or part; `nil` if there is none, as in a loop's.
  package static func number(inFile file: String) -> Int? {
    let stem = file.prefix { $0 != "." }
    return Int(stem.hasPrefix("p") ? stem.dropFirst() : stem)
  }

  /// The file name of the whole segment.
  package var file: String { stem + ".mp4" }

  /// The file name of the part at an index.
  package func part(_ index: Int) -> String { "\(stem).\(index).mp4" }

  /// The file name of the whole segment that the part of this file name belongs to.
  package static func file(ofPart file: String) -> String { file.prefix { $0 != "." } + ".mp4" }

  /// Whether a file name is a part's.
  package static func isPart(_ file: String) -> Bool { file.utf8.count { $0 == UInt8(ascii: ".") } == 2 }

  /// The name of the segment with this file name; `nil` if no segment has it.
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

  /// Reads the stem, as a plain string.
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
