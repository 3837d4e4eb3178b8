/// The position of a part in the stream: the media sequence number of its segment and its index in it.
package struct PartPosition: Hashable, Comparable, Sendable {
  /// The media sequence number of the segment.
  package var sequence: Int
  /// The index of the part in the segment, from 0.
  package var part: Int

  /// A part of a segment.
  package init(sequence: Int, part: Int) {
    self.sequence = sequence
    self.part = part
  }

  /// Orders parts by time of publication.
  package static func < (left: PartPosition, right: PartPosition) -> Bool {
    (left.sequence, left.part) < (right.sequence, right.part)
  }
}
