/// The position of a part in the stream: the media sequence number of its segment and its index in it.
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

  /// Orders parts by time of publication.
  public static func < (left: SlotPosition, right: SlotPosition) -> Bool {
    (left.sequence, left.part) < (right.sequence, right.part)
  }
}
