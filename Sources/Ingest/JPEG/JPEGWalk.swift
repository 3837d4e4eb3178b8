import Media

/// One pass over the markers of a JPEG.
///
/// It is stricter than decoders: what they would guess (a missing table, a component without a scan) would come out as
/// another picture's pixels or as noise.
struct JPEGWalk {
  /// Each scan costs the decoder a pass over the whole picture; real progressive pictures have a dozen.
  private static let maxScans = 100
  /// Far more segments than any camera writes.
  private static let maxSegments = 2000
  /// Far more than any camera writes; what later ones say is not read.
  private static let maxEXIF = 16

  private struct Component {
    let id: UInt8
    let sampling: UInt8
    let table: UInt8
    /// Whether a scan came that makes a picture of it: of a progressive one its DC coefficients.
    var hasScan = false
  }

  private let bytes: UnsafeRawBufferPointer
  private let maxPixels: Int
  private var offset = 2
  private var size: PictureSize?
  private var isProgressive = false
  private var components: [Component] = []
  private var tables: Set<UInt8> = []
  private var scans = 0
  private var cost: JPEGCost?
  private var segments = 0
  private var orientation: Orientation?
  /// How many EXIF were read.
  private var exifs = 0
  private var colour = JPEGColour()
  private var junk = JPEGJunk()
  /// The segment that was read last.
  private var segment: (marker: UInt8, payload: Range<Int>)?
  private var metadata: [Range<Int>] = []
  /// Where the names of the frame's components stand, and the place of each in the frame.
  private var names: [(offset: Int, index: Int)] = []

  init(_ bytes: UnsafeRawBufferPointer, maxPixels: Int) {
    self.bytes = bytes
    self.maxPixels = maxPixels
  }

  mutating func header() throws(StillRefusal) -> JPEGHeader {
    guard bytes.count >= 3, bytes[0] == 0xFF, bytes[1] == 0xD8, bytes[2] == 0xFF else {
      throw StillRefusal(
        .notJPEG,
        bytes.isEmpty
          ? "the body is empty; send one JPEG picture"
          : "the body does not begin with FF D8 FF; send one JPEG picture as it is, without a wrapper")
    }
    while true {
      let marker = try nextMarker()
      switch marker {
      case 0xD9: return try finish()
      case 0xD0...0xD7, 0x01: continue  // Restart markers and TEM have no segment.
      case 0xD8, 0x00, 0x02...0xBF:
        throw StillRefusal(
          .corrupt, "FF \(hex(marker)) at byte \(offset - 2) cannot be there; the upload was damaged")
      case 0xC3, 0xC5...0xC7, 0xC9...0xCF, 0xF7:
        throw StillRefusal(
          .unsupported,
          "the picture is coded as \(Self.coding(marker)) (marker FF \(hex(marker)) at byte \(offset - 2)); "
            + "send baseline or progressive JPEG")
      default: try readSegment(marker)
      }
    }
  }

  private static func coding(_ marker: UInt8) -> String {
    switch marker {
    case 0xC3: "lossless JPEG"
    case 0xF7: "JPEG-LS"
    case 0xC5...0xC7: "hierarchical JPEG"
    default: "arithmetic JPEG"
    }
  }

  private func finish() throws(StillRefusal) -> JPEGHeader {
    guard let size else { throw lacking("there is no frame header (SOF) before EOI at byte \(offset - 2)") }
    guard scans > 0 else { throw lacking("there is no scan (SOS) before EOI at byte \(offset - 2)") }
    if let missing = components.first(where: { !$0.hasScan }) {
      throw StillRefusal(.corrupt, "component \(missing.id) has no scan; the upload was damaged")
    }
    guard !junk.isThere || !junk.lacksRestartInterval else {
      throw StillRefusal(.corrupt, "the picture has restart markers and has lost its restart interval")
    }
    let (ids, samplings) = (components.map(\.id), components.map(\.sampling))
    let isRGB = colour.isRGB(names: ids)
    guard !isRGB || Set(samplings).count == 1 else {
      // FFmpeg would take red, green and blue of unequal sampling for luma and chroma.
      throw StillRefusal(.unsupported, "the picture is RGB with subsampled components; send YCbCr or grayscale")
    }
    guard JPEGSampling.decodes(samplings) else {
      let text = samplings.map { "\($0 >> 4)x\($0 & 15)" }.joined(separator: ", ")
      throw StillRefusal(
        .unsupported, "the decoder does not know components sampled \(text); send 4:2:0, 4:2:2 or 4:4:4")
    }
    guard let cost, !cost.isTooMuch(maxPixels: maxPixels) else {
      throw StillRefusal(
        .unsupported,
        "the picture takes too long to decode with \(scans) scans and \(offset) bytes; send baseline JPEG, or one of "
          + "fewer scans")
    }
    // FFmpeg obeys Adobe's flag before JFIF, and names before either.
    let isNamed = ids == JPEGColour.redGreenBlue
    let left = isRGB && !isNamed ? metadata : (metadata + colour.adobeSegments).sorted { $0.lowerBound < $1.lowerBound }
    return JPEGHeader(
      size: size, components: components.count, isProgressive: isProgressive, orientation: orientation ?? .upright,
      length: offset, mayBeReduced: Self.reducible.contains(samplings), hasHuffmanTables: junk.hasTables,
      space: colour.space, decodingNanoseconds: cost.nanoseconds, metadata: left,
      replacements: isNamed && !isRGB
        ? names.map { JPEGHeader.Replacement(offset: $0.offset, byte: UInt8($0.index + 1)) } : [])
  }

  /// The refusal of a picture without what makes one: where bytes were passed over, it was lost with them.
  private func lacking(_ detail: String) -> StillRefusal {
    junk.isThere
      ? StillRefusal(.corrupt, "\(detail), and bytes that are no segment stand before that; the upload was damaged")
      : StillRefusal(.noPicture, detail)
  }

  /// Samplings of the components: 4:0:0, 4:4:4, 4:2:2, 4:2:0.
  private static let reducible: Set<[UInt8]> = [[0x11], [0x11, 0x11, 0x11], [0x21, 0x11, 0x11], [0x22, 0x11, 0x11]]

  /// Moves behind the next marker and answers its second byte; fill bytes FF may stand before it, and before the first
  /// scan junk.
  private mutating func nextMarker() throws(StillRefusal) -> UInt8 {
    guard offset < bytes.count else { throw truncated() }
    var code = bytes.endOfFill(from: offset)
    if code < bytes.count, code == offset || bytes[code] == 0 {
      guard scans == 0, let end = junk.end(in: bytes, at: offset, behind: segment) else {
        throw StillRefusal(
          .corrupt, "byte \(offset) should begin a marker and is \(hex(bytes[offset])); the upload was damaged")
      }
      metadata.append(offset..<end)
      code = bytes.endOfFill(from: end)
    }
    guard code < bytes.count else { throw truncated() }
    offset = code + 1
    return bytes[code]
  }

  /// Reads the marker segment at the offset and moves behind it (and behind its coded data, if it begins a scan).
  private mutating func readSegment(_ marker: UInt8) throws(StillRefusal) {
    segments += 1
    guard segments <= Self.maxSegments else {
      throw StillRefusal(
        .unsupported, "the picture has more than \(Self.maxSegments) segments; send it without metadata")
    }
    guard offset + 2 <= bytes.count else { throw truncated() }
    let length = Int(bytes[offset]) << 8 | Int(bytes[offset + 1])
    guard length >= 2 else {
      throw StillRefusal(.corrupt, "the segment at byte \(offset) says a length of \(length), which is impossible")
    }
    guard offset + length <= bytes.count else { throw truncated() }
    let payload = UnsafeRawBufferPointer(rebasing: bytes[offset + 2..<offset + length])
    let start = offset
    offset += length
    segment = (marker, start + 2..<offset)
    switch marker {
    case 0xC0, 0xC1, 0xC2: try readFrame(payload, isProgressive: marker == 0xC2, at: start)
    case 0xDB: try readTables(payload, at: start)
    case 0xDA:
      let components = try readScan(payload, at: start)
      skipEntropyCodedData()
      cost?.add(scanOf: components, refines: (payload.last ?? 0) >> 4 > 0, bytes: offset - start - length)
    case 0xE0...0xED, 0xEF, 0xFE:
      if scans == 0 { readMetadata(marker, payload, at: start) }
      metadata.append(start - 2..<offset)
    case 0xEE where scans == 0: colour.readAdobe(payload, segment: start - 2..<offset)
    case 0xEE: metadata.append(start - 2..<offset)
    default: junk.note(marker, payload)
    }
  }

  /// Reads what application data say about how the picture is shown. Of several EXIF the first that says how to turn
  /// it counts, as for browsers.
  private mutating func readMetadata(_ marker: UInt8, _ payload: UnsafeRawBufferPointer, at start: Int) {
    switch marker {
    case 0xE0: colour.readJFIF(payload)
    case 0xE1:
      guard orientation == nil, exifs < Self.maxEXIF, let exif = Exif(payload) else { return }
      exifs += 1
      orientation = exif.orientation
      if exif.isAdobeRGB { colour.noteAdobeRGB() }
    case 0xE2: colour.readProfile(payload, at: start + 2)
    default: break
    }
  }

  private mutating func readFrame(
    _ payload: UnsafeRawBufferPointer, isProgressive: Bool, at start: Int
  ) throws(StillRefusal) {
    guard size == nil else { throw StillRefusal(.corrupt, "a second frame header is at byte \(start)") }
    guard payload.count >= 6 else { throw StillRefusal(.corrupt, "the frame header at byte \(start) is too short") }
    let count = Int(payload[5])
    let size = PictureSize(
      width: Int(payload[3]) << 8 | Int(payload[4]), height: Int(payload[1]) << 8 | Int(payload[2]))
    guard payload[0] == 8 else {
      throw StillRefusal(.unsupported, "the picture has \(payload[0]) bits a sample; send 8")
    }
    guard count == 1 || count == 3 else {
      throw StillRefusal(
        .unsupported,
        count == 4
          ? "the picture has four components (CMYK or YCCK), which are for print; send YCbCr or grayscale"
          : "the picture has \(count) components; send YCbCr (3) or grayscale (1)")
    }
    guard payload.count >= 6 + 3 * count else {
      throw StillRefusal(.corrupt, "the frame header at byte \(start) is too short for its \(count) components")
    }
    guard size.width > 0, size.height > 0 else {
      throw StillRefusal(.corrupt, "the frame header at byte \(start) says a size of \(size)")
    }
    guard size.pixels <= maxPixels else {
      throw StillRefusal(.tooLarge, "the picture is \(size), \(size.pixels) pixels; at most \(maxPixels) are allowed")
    }
    for index in 0..<count {
      let (sampling, at) = (payload[7 + 3 * index], 6 + 3 * index)
      guard (1...4).contains(sampling >> 4), (1...4).contains(sampling & 15) else {
        throw StillRefusal(.corrupt, "a component is sampled \(sampling >> 4)x\(sampling & 15) at byte \(start)")
      }
      names.append((start + 2 + at, index))
      components.append(Component(id: payload[at], sampling: sampling, table: payload[at + 2]))
    }
    self.size = size
    self.isProgressive = isProgressive
    cost = JPEGCost(size: size, samplings: components.map(\.sampling), isProgressive: isProgressive)
  }

  private mutating func readTables(_ payload: UnsafeRawBufferPointer, at start: Int) throws(StillRefusal) {
    var rest = payload[...]
    while let head = rest.first {
      let length = 1 + 64 * (Int(head >> 4) + 1)
      guard head >> 4 <= 1, head & 15 <= 3, rest.count >= length else {
        throw StillRefusal(.corrupt, "the quantization tables at byte \(start) are damaged")
      }
      tables.insert(head & 15)
      rest = rest.dropFirst(length)
    }
  }

  /// Reads the header of a scan.
  ///
  /// - Returns: the places in the frame of the components that it is of.
  private mutating func readScan(_ payload: UnsafeRawBufferPointer, at start: Int) throws(StillRefusal) -> [Int] {
    guard size != nil else { throw lacking("a scan begins at byte \(start) before any frame header") }
    guard let count = payload.first.map(Int.init), (1...4).contains(count), payload.count >= 4 + 2 * count else {
      throw StillRefusal(.corrupt, "the scan header at byte \(start) is too short")
    }
    scans += 1
    guard scans <= Self.maxScans else {
      throw StillRefusal(.unsupported, "the picture has more than \(Self.maxScans) scans; send baseline JPEG")
    }
    let isDC = payload[1 + 2 * count] == 0
    var places: [Int] = []
    for index in 0..<count {
      let at = 1 + 2 * index
      guard let component = components.firstIndex(where: { $0.id == payload[at] }) else {
        throw StillRefusal(.corrupt, "the scan at byte \(start) is of a component that the frame does not have")
      }
      guard tables.contains(components[component].table) else {
        throw StillRefusal(.corrupt, "the scan at byte \(start) has no quantization table")
      }
      guard !junk.isThere || hasHuffmanTables(payload[at + 1], isDC: isDC) else {
        throw StillRefusal(
          .corrupt, "the scan at byte \(start) has no Huffman table, which was lost with bytes that are no segment")
      }
      names.append((start + 2 + at, component))
      places.append(component)
      if isDC || !isProgressive { components[component].hasScan = true }
    }
    return places
  }

  private func hasHuffmanTables(_ selectors: UInt8, isDC: Bool) -> Bool {
    (!isDC || junk.hasTable(selectors >> 4, isAC: false))
      && (isDC && isProgressive || junk.hasTable(selectors & 15, isAC: true))
  }

  /// Moves to the marker that ends coded data, or to the end of the bytes.
  private mutating func skipEntropyCodedData() {
    offset = bytes.endOfCodedData(from: offset, hasRestarts: &junk.hasRestarts)
  }

  private func truncated() -> StillRefusal {
    StillRefusal(
      .truncated,
      "the picture ends after \(bytes.count) bytes without its EOI marker; the upload broke off, send it whole")
  }
}

private func hex(_ byte: UInt8) -> String {
  let text = String(byte, radix: 16, uppercase: true)
  return text.count == 1 ? "0" + text : text
}
