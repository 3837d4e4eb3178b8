import Media
import NIOCore

/// The pictures that begin to show in a segment, as JPEGs, in a box before its parts in a recording.
///
/// It is a `uuid` box (ISO/IEC 14496-12, section 11.1), which players ignore, so the recording is an ordinary
/// fragmented MP4:
///
///     uuid ─ extended type            16 bytes
///            step                     u32, the time from picture to picture in ticks of 90 kHz
///            count                    u32
///            count times:  place      u32, the index of the picture in the segment
///                          is new     u8, 0 if it was shown before the segment already
///                          offset     u32, `ShownPicture.slotOffset` in ticks of 90 kHz; all ones if it is not known
///                          bytes      u32
///            the JPEGs, one after another
package struct ShownPictures: Hashable, Sendable {
  /// The time from picture to picture of the grid.
  package let step: Ticks
  /// The picture that stood before the segment and goes on; `nil` where it is not said or a new one begins at once.
  package let opening: ByteBuffer?
  /// The pictures that begin to show, in rising order of their steps.
  package let pictures: [ShownPicture]

  static let type: StaticString = "uuid"
  /// Made once at random, as such types are.
  fileprivate static let extendedType: (UInt64, UInt64) = (0x6a1c_3e0f_94d2_4b57, 0xb8e3_5d70_27af_c914)

  /// The pictures of one segment.
  package init(step: Ticks, opening: ByteBuffer? = nil, pictures: [ShownPicture]) {
    self.step = step
    self.opening = opening
    self.pictures = pictures
  }

  /// The box.
  package var box: ByteBuffer {
    let all = (opening.map { [ShownPicture(step: 0, jpeg: $0)] } ?? []) + pictures
    var writer = BoxWriter(capacity: 40 + all.reduce(0) { $0 + 13 + $1.jpeg.readableBytes })
    writer.box(Self.type) { box in
      box.put(Self.extendedType.0)
      box.put(Self.extendedType.1)
      box.put(UInt32(clamping: step.count))
      box.put(UInt32(all.count))
      for (index, picture) in all.enumerated() {
        box.put(UInt32(picture.step))
        box.put(UInt8(opening != nil && index == 0 ? 0 : 1))
        box.put(picture.slotOffset.map { UInt32(clamping: min($0.count, Int64(UInt32.max - 1))) } ?? UInt32.max)
        box.put(UInt32(picture.jpeg.readableBytes))
      }
      for picture in all { box.put(picture.jpeg) }
    }
    return writer.buffer
  }
}

extension FragmentReader {
  /// One item of a recording, after its init segment.
  package enum Item: Sendable {
    /// The pictures that begin to show in the segment of the following parts.
    case pictures(ShownPictures)
    /// A part.
    case part(Part)
  }

  /// The parts in `bytes` and the pictures between them. `bytes` must not contain anything else.
  ///
  /// - Throws: the first thing that is wrong with them.
  package static func items(in bytes: ByteBuffer) throws(Damage) -> [Item] {
    var reader = FragmentReader(bytes: bytes.slice())
    var items: [Item] = []
    while reader.offset < reader.bytes.readableBytes {
      items.append(reader.isAt(ShownPictures.type) ? .pictures(try reader.shownPictures()) : .part(try reader.part()))
    }
    return items
  }

  private func isAt(_ type: StaticString) -> Bool {
    bytes.getInteger(at: bytes.readerIndex + offset + 4, as: UInt32.self) == type.code
  }

  private mutating func shownPictures() throws(Damage) -> ShownPictures {
    let begin = offset
    let end = begin + (try box(ShownPictures.type, upTo: bytes.readableBytes))
    let type: (UInt64, UInt64) = (try number(), try number())
    guard type == ShownPictures.extendedType else { throw damage("a box uuid of another type") }
    let step: UInt32 = try number()
    let count: UInt32 = try number()
    guard step > 0, count > 0, Int(count) <= (end - offset) / 13 else {
      throw damage("\(count) pictures in a box uuid")
    }
    var entries: [ShownPictureEntry] = []
    var hasOpening = false
    for _ in 0..<count {
      let (place, isNew): (UInt32, UInt8) = (try number(), try number())
      let (offset, length): (UInt32, UInt32) = (try number(), try number())
      let isInOrder = entries.last.map { $0.step < Int(place) } ?? true
      guard isInOrder, isNew == 1 || isNew == 0 && place == 0, length > 0 else {
        throw damage("a picture of \(length) bytes at place \(place) in a box uuid")
      }
      if isNew == 0 { hasOpening = true }
      let slotOffset = offset == .max ? nil : Ticks(Int64(offset))
      entries.append(ShownPictureEntry(step: Int(place), bytes: Int(length), slotOffset: slotOffset))
    }
    guard entries.reduce(offset, { $0 + $1.bytes }) == end else {
      throw damage("pictures that do not fill their box uuid")
    }
    guard var jpegs = bytes.getSlice(at: bytes.readerIndex + offset, length: end - offset) else {
      throw damage("the end of the bytes")
    }
    var pictures = entries.compactMap { $0.picture(from: &jpegs) }
    offset = end
    let opening = hasOpening ? pictures.removeFirst().jpeg : nil
    return ShownPictures(step: Ticks(Int64(step)), opening: opening, pictures: pictures)
  }
}
