/// Media made by hand: the least that a reader must understand.
enum SampleMedia {
  /// Bits of an H.264 parameter set.
  private struct Bits {
    var bytes: [UInt8] = []
    private var count = 0

    mutating func put(_ value: Int, _ width: Int) {
      for shift in (0..<width).reversed() {
        if count % 8 == 0 { bytes.append(0) }
        bytes[count / 8] |= UInt8(value >> shift & 1) << UInt8(7 - count % 8)
        count += 1
      }
    }

    mutating func unsigned(_ value: Int) {
      let width = (value + 1).bitWidth - (value + 1).leadingZeroBitCount
      put(0, width - 1)
      put(value + 1, width)
    }
  }

  /// A sequence parameter set of the baseline profile; width and height are multiples of 16.
  static func parameterSet(width: Int = 64, height: Int = 48, level: Int = 30) -> [UInt8] {
    var bits = Bits()
    bits.put(66 << 16 | level, 24)
    for value in [0, 0, 2, 1] { bits.unsigned(value) }
    bits.put(0, 1)
    bits.unsigned(width / 16 - 1)
    bits.unsigned(height / 16 - 1)
    bits.put(0b11001, 5)
    return [0x67] + bits.bytes
  }

  static func number(_ value: Int, _ width: Int) -> [UInt8] {
    (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  static func box(_ type: String, _ payload: [UInt8]...) -> [UInt8] {
    let body = payload.flatMap { $0 }
    return number(body.count + 8, 4) + Array(type.utf8) + body
  }

  /// An init segment with one H.264 track of timescale 1000.
  static func initSegment(width: Int = 64, height: Int = 48, entryWidth: Int? = nil, step: Int = 500) -> [UInt8] {
    let set = parameterSet(width: width, height: height)
    let avcC = box("avcC", [1], Array(set[1...3]), [0xFF, 0xE1], number(set.count, 2), set, [0])
    let entry = box(
      "avc1", number(0, 24), number(entryWidth ?? width, 2), number(height, 2), number(0, 50), avcC)
    let media = box(
      "mdia", box("mdhd", number(0, 12), number(1000, 4), number(0, 8)),
      box("hdlr", number(0, 8), Array("vide".utf8), number(0, 13)),
      box("minf", box("stbl", box("stsd", number(0, 4), number(1, 4), entry))))
    let track = box("trak", box("tkhd", number(0, 12), number(1, 4), number(0, 68)), media)
    let defaults = box("trex", number(0, 4), number(1, 4), number(1, 4), number(step, 4), number(0, 8))
    return box("ftyp", Array("iso6".utf8), number(0, 4)) + box("moov", track, box("mvex", defaults))
  }

  /// A part of so many pictures of half a second each.
  static func fragment(
    start: Int, pictures: Int, isIDR: Bool = true, parameterSet: [UInt8]? = nil, track: Int = 1
  ) -> [UInt8] {
    var first: [UInt8] = []
    if let parameterSet { first += number(parameterSet.count, 4) + parameterSet }
    first += number(3, 4) + [isIDR ? 0x65 : 0x41, 0x88, 0x80]
    let other = number(2, 4) + [0x41, 0x9A]
    let sizes = [first.count] + Array(repeating: other.count, count: pictures - 1)
    func moof(_ offset: Int) -> [UInt8] {
      box(
        "moof", box("mfhd", number(0, 4), number(1, 4)),
        box(
          "traf", box("tfhd", number(0x020000, 4), number(track, 4)),
          box("tfdt", number(1 << 24, 4), number(start, 8)),
          box("trun", number(0x201, 4), number(pictures, 4), number(offset, 4), sizes.flatMap { number($0, 4) })))
    }
    let head = moof(moof(0).count + 8)
    return head + box("mdat", first, Array(repeating: other, count: pictures - 1).flatMap { $0 })
  }

  // MARK: Transport stream

  private static func packet(_ pid: Int, begins: Bool, _ payload: [UInt8]) -> [UInt8] {
    let stuffing = 184 - payload.count
    var bytes: [UInt8] = [0x47, UInt8(pid >> 8) | (begins ? 0x40 : 0), UInt8(pid & 0xFF), stuffing > 0 ? 0x30 : 0x10]
    if stuffing > 0 {
      bytes.append(UInt8(stuffing - 1))
      if stuffing > 1 { bytes += [0] + Array(repeating: 0xFF, count: stuffing - 2) }
    }
    return bytes + payload
  }

  private static func table(_ id: UInt8, _ body: [UInt8]) -> [UInt8] {
    [0, id] + number(0xB000 | body.count + 9, 2) + [0, 1, 0xC1, 0, 0] + body + number(0, 4)
  }

  private static func pes(stamp: Int, _ unit: [UInt8]) -> [UInt8] {
    let clock = stamp & (1 << 33 - 1)
    return [0, 0, 1, 0xE0, 0, 0, 0x80, 0x80, 5, UInt8(0x21 | clock >> 29 & 0xE)]
      + number(clock >> 14 & 0xFFFE | 1, 2) + number(clock << 1 & 0xFFFE | 1, 2) + unit
  }

  /// A segment of pictures 0.1 s apart.
  static func transportStream(
    start: Int, pictures: Int, isIDR: Bool = true, parameterSet: [UInt8] = parameterSet(), hasTables: Bool = true
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    if hasTables {
      bytes += packet(0, begins: true, table(0, number(1, 2) + number(0xE100, 2)))
      bytes += packet(
        0x100, begins: true,
        table(2, number(0xE101, 2) + number(0xF000, 2) + [0x1B] + number(0xE101, 2) + number(0xF000, 2)))
    }
    for picture in 0..<pictures {
      let slice: [UInt8] = [0, 0, 1, picture == 0 && isIDR ? 0x65 : 0x41, 0x88, 0x80]
      let head: [UInt8] = picture == 0 ? [0, 0, 0, 1, 9, 0xF0, 0, 0, 0, 1] + parameterSet : []
      bytes += packet(0x101, begins: true, pes(stamp: start + picture * 9_000, head + slice))
    }
    return bytes
  }
}
