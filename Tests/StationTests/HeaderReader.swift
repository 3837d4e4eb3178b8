import Media
import NIOCore
import Packager
import Testing

/// Reads what the boxes and the headers of slices say besides the pictures: whatever an encoder or a packager chooses.
struct HeaderReader {
  var syntax: SliceSyntax?
  private var headers: [SliceHeader] = []
  /// How boxes and units of the open segment follow each other; `nil` where its beginning was not seen.
  private var shape: [String]?
  private var previous: (number: UInt32, time: UInt64)?
  /// What `frame_num` and the order of the next picture must be. New pictures are referred to and count, repeats do not;
  /// so both follow from which pictures are new, which everybody sees.
  private var (frameNumber, order) = (0, 0)

  /// Passes over what comes until the next segment.
  mutating func skip() {
    (headers, shape, previous) = ([], nil, nil)
  }

  /// Reads a part, and counts the segment that ends with it.
  mutating func read(_ part: ByteBuffer, endsSegment: Bool, into count: inout PublicCount) throws {
    let syntax = try #require(syntax)
    let pictures = try #require(try FragmentReader.parts(in: part).first).pictures
    // `Fragment` says where these are.
    let number = try #require(part.getInteger(at: part.readerIndex + 20, as: UInt32.self))
    let time = try #require(part.getInteger(at: part.readerIndex + 60, as: UInt64.self))
    let flags = try #require(part.getInteger(at: part.readerIndex + 76, as: UInt32.self))
    if let previous { shape?.append("mfhd \(number &- previous.number), tfdt \(time &- previous.time)") }
    previous = (number, time)
    shape?.append("trun \(flags)")
    for picture in pictures {
      let found = syntax.headers(of: picture)
      headers += found
      let row = found.map { header in
        if header.isIDR { (frameNumber, order) = (0, 0) }
        let isInTurn =
          (header.frameNumber - frameNumber) % 16 == 0 && ((header.pictureOrder ?? -1) - order) % 16 == 0
        frameNumber += header.referenceIDC > 0 ? 1 : 0
        order += 2
        return "\(isInTurn) \(header.idrPictureID ?? -1) \(header.marking)"
      }
      let kinds = try Self.units(picture)
      shape?.append("\(kinds) \(row)")
    }
    guard endsSegment else { return }
    if let shape {
      count.shapes.insert(shape.joined(separator: ", "))
      for isIDR in [true, false] {
        let some = headers.filter { $0.isIDR == isIDR }.map(\.fields)
        for (index, field) in SliceHeader().fields.enumerated() {
          let mean = Double(some.reduce(0) { $0 + $1[index].value }) / Double(max(1, some.count))
          count.headers["\(isIDR ? "IDR" : "P") \(field.name)", default: []].append(mean)
        }
      }
    }
    (headers, shape) = ([], [])
  }

  /// The kind of each NAL unit, and all bytes of parameter sets.
  private static func units(_ picture: CodedPicture) throws -> [String] {
    var (bytes, kinds) = (picture.bytes, [String]())
    while let unit = bytes.readLengthPrefixedSlice(as: UInt32.self) {
      let first = try #require(unit.getInteger(at: unit.readerIndex, as: UInt8.self))
      kinds.append([1, 5].contains(first & 0x1F) ? "\(first & 0x1F)" : unit.fingerprint)
    }
    return kinds
  }
}
