/// Where a part stands in the stream: the media sequence number of its segment and its index in it.
public struct SlotPosition: Hashable, Comparable, Sendable {
  /// The media sequence number of the segment.
  public var sequence: Int
  /// The index of the part in the segment, from 0.
  public var part: Int

  /// A part of a segment.
  public init(sequence: Int, part: Int) {
    self.sequence = sequence
    self.part = part
  }

  /// The position of a slot that is counted from the first part of segment 0.
  init(slot: Int64, partsPerSegment: Int) {
    sequence = Int(slot / Int64(partsPerSegment))
    part = Int(slot % Int64(partsPerSegment))
  }

  /// The file name of the segment; used once in the life of a camera.
  public var segmentName: String { "\(sequence).mp4" }

  /// The file name of the part; used once in the life of a camera.
  public var partName: String { "\(sequence).\(part).mp4" }

  /// Orders parts as they are published.
  public static func < (left: SlotPosition, right: SlotPosition) -> Bool {
    (left.sequence, left.part) < (right.sequence, right.part)
  }
}
