import Media
import NIOCore

/// Reads back what `Segmenter` wrote: one or more parts, each a movie fragment with its media data.
///
/// It reads only our own layout (see `Fragment`). Anything else in a file is an error.
package struct FragmentReader {
  /// One part.
  package struct Part: Sendable {
    /// When it begins on its media timeline.
    package let start: Ticks
    /// Its pictures, in order.
    package let pictures: [CodedPicture]
    /// How many bytes it has with its boxes.
    package let byteCount: Int
  }

  /// Why bytes are not parts of ours.
  package struct Damage: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong and at which byte.
    package let description: String

    /// Damage of this description.
    package init(description: String) { self.description = description }
  }

  /// No stream of ours has lasted for so long, a thousand years; and times can be added without a check.
  private static let latestStart: Int64 = 1 << 53

  let bytes: ByteBuffer
  var offset = 0

  /// The parts in `bytes`, which must not contain anything else.
  ///
  /// - Throws: the first thing that is wrong with them.
  package static func parts(in bytes: ByteBuffer) throws(Damage) -> [Part] {
    var reader = FragmentReader(bytes: bytes.slice())
    var parts: [Part] = []
    while reader.offset < reader.bytes.readableBytes { parts.append(try reader.part()) }
    return parts
  }

  /// The length of the init segment at the start of `bytes`, in bytes: the boxes `ftyp` and `moov`.
  package static func initLength(in bytes: ByteBuffer) throws(Damage) -> Int {
    var reader = FragmentReader(bytes: bytes.slice())
    for type in ["ftyp", "moov"] as [StaticString] {
      let size = try reader.box(type, upTo: reader.bytes.readableBytes)
      reader.offset += size - 8
    }
    return reader.offset
  }

  init(bytes: ByteBuffer) { self.bytes = bytes }

  mutating func part() throws(Damage) -> Part {
    let (begin, end) = (offset, bytes.readableBytes)
    let moofEnd = begin + (try box("moof", upTo: end))
    try fullBox("mfhd", size: 16, versionAndFlags: 0)
    _ = try number() as UInt32
    let trafSize = try box("traf", upTo: moofEnd)
    guard offset - 8 + trafSize == moofEnd else { throw damage("a box traf that does not end with its moof") }
    try fullBox("tfhd", size: 16, versionAndFlags: 0x020000)
    guard try number() == trackID else { throw damage("another track than \(trackID)") }
    try fullBox("tfdt", size: 20, versionAndFlags: 0x0100_0000)
    let start: Int64 = try number()
    guard (0...Self.latestStart).contains(start) else { throw damage("a time of \(start) ticks") }
    let trunBegin = offset
    let trunSize = try box("trun", upTo: moofEnd)
    guard trunBegin + trunSize == moofEnd else { throw damage("a box trun that does not end with its moof") }
    let flags: UInt32 = try number()
    guard flags == 0x201 || flags == 0x205 else { throw damage("a box trun with flags \(flags)") }
    let startsWithIDR = flags == 0x205
    let count = Int(try number() as UInt32)
    guard try number() == UInt32(clamping: moofEnd - begin + 8) else {
      throw damage("a data offset that does not point behind the header of mdat")
    }
    if startsWithIDR {
      guard try number() == SampleFlags.sync else {
        throw damage("flags of the first picture that mark no IDR picture")
      }
    }
    guard count > 0, offset + 4 * count == moofEnd else {
      throw damage("\(count) pictures in a trun of \(trunSize) bytes")
    }
    var sizes: [Int] = []
    sizes.reserveCapacity(count)
    for _ in 0..<count { sizes.append(Int(try number() as UInt32)) }
    let mdatSize = try box("mdat", upTo: end)
    guard sizes.reduce(0, +) == mdatSize - 8 else {
      throw damage("pictures of \(sizes.reduce(0, +)) bytes in an mdat of \(mdatSize)")
    }
    var pictures: [CodedPicture] = []
    pictures.reserveCapacity(count)
    for (index, size) in sizes.enumerated() {
      pictures.append(try picture(size: size, isIDR: startsWithIDR && index == 0))
    }
    return Part(start: Ticks(start), pictures: pictures, byteCount: offset - begin)
  }

  /// One access unit. Its NAL units must fill it, and be those of an IDR picture or not, as `isIDR` says.
  private mutating func picture(size: Int, isIDR: Bool) throws(Damage) -> CodedPicture {
    let end = offset + size
    guard let unit = bytes.getSlice(at: bytes.readerIndex + offset, length: size), size > 0 else {
      throw damage("a picture of \(size) bytes")
    }
    var hasIDRSlice = false
    while offset < end {
      let length = Int(try number() as UInt32)
      guard length > 0, length <= end - offset, let header: UInt8 = peek() else {
        throw damage("a NAL unit of \(length) bytes in a picture of \(size)")
      }
      if header & 0x1F == 5 { hasIDRSlice = true }
      offset += length
    }
    guard hasIDRSlice == isIDR else {
      throw damage(isIDR ? "no IDR picture where one is announced" : "an IDR picture that is not announced")
    }
    return CodedPicture(bytes: unit, isIDR: isIDR)
  }

  /// Enters a box that ends at or before `end`, and returns its size with the header.
  mutating func box(_ type: StaticString, upTo end: Int) throws(Damage) -> Int {
    let begin = offset
    let size = Int(try number() as UInt32)
    let found: UInt32 = try number()
    guard found == type.code else {
      offset = begin
      throw damage("no box \(type)")
    }
    guard size >= 8, size <= end - begin else {
      offset = begin
      throw damage("a box \(type) of \(size) bytes where \(end - begin) are left")
    }
    return size
  }

  private mutating func fullBox(_ type: StaticString, size: Int, versionAndFlags: UInt32) throws(Damage) {
    guard try box(type, upTo: bytes.readableBytes) == size, try number() == versionAndFlags else {
      throw damage("a box \(type) of another form")
    }
  }

  mutating func number<Number: FixedWidthInteger>() throws(Damage) -> Number {
    guard let number: Number = peek() else { throw damage("the end of the bytes") }
    offset += MemoryLayout<Number>.size
    return number
  }

  private func peek<Number: FixedWidthInteger>() -> Number? { bytes.getInteger(at: bytes.readerIndex + offset) }

  func damage(_ found: String) -> Damage { Damage(description: "found \(found) at byte \(offset)") }
}

extension StaticString {
  /// The four characters of a box type as a number.
  var code: UInt32 { withUTF8Buffer { $0.reduce(0) { $0 << 8 | UInt32($1) } } }
}
