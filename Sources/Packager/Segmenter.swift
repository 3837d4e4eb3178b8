import Media
import NIOCore

/// Makes a part of each slot's pictures, and a segment of each full set of parts.
///
/// It has two clocks. Stream time counts the slots that were made and never breaks; windows and dates use it. Media
/// time is written into the fragments (`tfdt`) and starts again at a discontinuity.
package struct Segmenter: Sendable {
  /// One slot, packaged.
  package struct Output: Sendable {
    /// The position of the part.
    package let position: PartPosition
    /// The names of the segment and its parts.
    package let name: SegmentName
    /// When the part begins in stream time.
    package let start: Ticks
    /// The part.
    package let part: ByteBuffer
    /// Whether it begins with an IDR picture.
    package let isIndependent: Bool
    /// The whole segment, when this part is its last.
    package let segment: ByteBuffer?

    /// The file name of the part.
    package var partName: String { name.part(position.part) }
  }

  private let settings: TimelineSettings
  private let nameOffset: Int
  private let isPlain: Bool
  private var sequence: Int
  private var part = 0
  private var slots: Int64 = 0
  private var mediaSlot: Int64 = 0
  private var fragments: UInt32 = 0
  /// The parts of the open segment.
  private var open: [ByteBuffer] = []
  private var loopName: SegmentName?

  /// A segmenter whose first part is the first of the segment `firstSequence`.
  ///
  /// - Parameters:
  ///   - firstName: the number in the name of that segment; the following ones count up from it.
  ///   - start: the stream time of the first part.
  ///   - mediaStart: the media time of the first part, if it continues that of an earlier process.
  ///   - isPlain: whether the segments are those of `plain.m3u8`.
  package init(
    settings: TimelineSettings, firstSequence: Int, firstName: Int? = nil, start: Ticks = .zero,
    mediaStart: Ticks? = nil,
    isPlain: Bool = false
  ) {
    self.settings = settings
    self.isPlain = isPlain
    sequence = firstSequence
    nameOffset = (firstName ?? firstSequence) - firstSequence
    slots = start.floorDivided(by: settings.part)
    mediaSlot = mediaStart.map { $0.floorDivided(by: settings.part) } ?? max(0, slots)
    fragments = mediaStart == nil ? 0 : UInt32(truncatingIfNeeded: mediaSlot)
  }

  /// The position of the next part.
  package var position: PartPosition { PartPosition(sequence: sequence, part: part) }

  /// The number in the name of the segment that the next part belongs to; `nil` for a loop's.
  package var nameNumber: Int { sequence + nameOffset }

  /// The name of the segment that the next part belongs to.
  package var name: SegmentName { loopName ?? ownName }

  private var ownName: SegmentName { isPlain ? SegmentName(plain: nameNumber) : SegmentName(number: nameNumber) }

  /// When the next part begins in stream time.
  package var start: Ticks { settings.part * slots }

  /// Whether the next part begins a segment, so that its first picture must be an IDR picture.
  package var isAtSegmentStart: Bool { part == 0 }

  /// Begins a segment of the loop, which has its own name and its own place on the loop's timeline. The segment ends
  /// with its last part.
  ///
  /// - Precondition: no segment is open.
  package mutating func beginLoopSegment(named name: SegmentName, mediaStart: Ticks) {
    precondition(part == 0, "a segment is open")
    loopName = name
    mediaSlot = mediaStart.floorDivided(by: settings.part)
    // The same bytes in each round, because caches compare only names.
    fragments = UInt32(truncatingIfNeeded: mediaSlot)
  }

  /// Packages the pictures of the next slot.
  ///
  /// - Precondition: there is one picture for each step of the slot, and the first of a segment is an IDR picture.
  package mutating func append(_ pictures: [CodedPicture]) -> Output {
    precondition(
      pictures.count == settings.stepsPerPart, "\(pictures.count) pictures for \(settings.stepsPerPart) steps")
    precondition(part > 0 || pictures[0].isIDR, "segment \(sequence) would not begin with an IDR picture")
    let (position, name, start) = (position, name, start)
    // Fragments are numbered from 1, and 32 bits of parts last for decades (ISO/IEC 14496-12, section 8.8.5).
    fragments &+= 1
    let bytes = Fragment.write(pictures, start: settings.part * mediaSlot, number: fragments)
    open.append(bytes)
    slots += 1
    mediaSlot += 1
    part += 1
    let segment = part == settings.partsPerSegment ? endSegment() : nil
    return Output(
      position: position, name: name, start: start, part: bytes, isIndependent: pictures[0].isIDR, segment: segment)
  }

  /// Ends the open segment with the parts that it has: it is shorter than the others.
  ///
  /// - Precondition: a segment is open. One with a loop's name must be whole, because its name stands for all its bytes.
  /// - Returns: the whole segment.
  package mutating func endSegment() -> ByteBuffer {
    precondition(part > 0, "no segment is open")
    precondition(loopName == nil || part == settings.partsPerSegment, "a segment of the loop would be cut short")
    var segment = ByteBuffer.fitting(capacity: open.reduce(0) { $0 + $1.readableBytes })
    for part in open { segment.writeImmutableBuffer(part) }
    open.removeAll(keepingCapacity: true)
    (sequence, part, loopName) = (sequence + 1, 0, nil)
    return segment
  }

  /// Drops the segment that is open or comes next: its parts are withdrawn, and its number too.
  package mutating func dropSegment() {
    (sequence, part, loopName) = (sequence + 1, 0, nil)
    open.removeAll()
  }
}
