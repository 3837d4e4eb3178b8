import Media
import NIOCore

/// Makes a part of each slot's pictures and a segment of each full round of parts.
///
/// Slots are counted from the first part of segment 0 over the whole life of a camera. Media time begins at zero with
/// the first slot that this segmenter makes.
public struct Segmenter: Sendable {
  /// One slot, packaged.
  public struct Output: Sendable {
    /// Where the part stands.
    public let position: SlotPosition
    /// When the part begins on the media timeline.
    public let start: Ticks
    /// The part.
    public let part: ByteBuffer
    /// Whether it begins with an IDR picture.
    public let isIndependent: Bool
    /// The whole segment, when this part is its last.
    public let segment: ByteBuffer?
  }

  private let settings: TimelineSettings
  private let firstSlot: Int64
  private var slot: Int64
  private var open = ByteBuffer()

  /// A segmenter whose first part is the first of the segment `firstSequence`.
  public init(settings: TimelineSettings, firstSequence: Int) {
    self.settings = settings
    firstSlot = Int64(firstSequence) * Int64(settings.partsPerSegment)
    slot = firstSlot
  }

  /// Where the next part will stand.
  public var position: SlotPosition { SlotPosition(slot: slot, partsPerSegment: settings.partsPerSegment) }

  /// The slot that the next part fills.
  public var nextSlot: Int64 { slot }

  /// When the next part begins on the media timeline.
  public var start: Ticks { settings.part * (slot - firstSlot) }

  /// Whether the next part begins a segment, so that its first picture must be an IDR picture.
  public var isAtSegmentStart: Bool { position.part == 0 }

  /// Packages the pictures of the next slot.
  ///
  /// - Precondition: there is one picture for each step of the slot, and the first of a segment is an IDR picture.
  public mutating func append(_ pictures: [CodedPicture]) -> Output {
    precondition(
      pictures.count == settings.stepsPerPart, "\(pictures.count) pictures for \(settings.stepsPerPart) steps")
    precondition(
      !isAtSegmentStart || pictures[0].isIDR, "segment \(position.sequence) would not begin with an IDR picture")
    let (position, start) = (position, start)
    // Fragments are numbered from 1, and 32 bits of parts last for decades (ISO/IEC 14496-12, section 8.8.5).
    let number = UInt32(truncatingIfNeeded: slot - firstSlot + 1)
    let part = Fragment.write(pictures, start: start, number: number)
    open.writeImmutableBuffer(part)
    slot += 1
    var segment: ByteBuffer?
    if isAtSegmentStart {
      segment = open
      open = ByteBufferAllocator().buffer(capacity: open.readableBytes)
    }
    return Output(
      position: position, start: start, part: part, isIndependent: pictures[0].isIDR, segment: segment)
  }
}
