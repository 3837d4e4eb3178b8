import Media
import NIOCore
import Picture
import Testing

@testable import Packager

@Suite struct FragmentTests {
  /// A box and its payload, read without any knowledge of the writer.
  private struct Box {
    let type: String
    let payload: ByteBuffer

    static func read(_ buffer: ByteBuffer) throws -> [Box] {
      var (buffer, boxes) = (buffer, [Box]())
      while buffer.readableBytes > 0 {
        let (size, type) = (buffer.readInteger(as: UInt32.self), buffer.readString(length: 4))
        let payload = buffer.readSlice(length: Int(try #require(size)) - 8)
        boxes.append(Box(type: try #require(type), payload: try #require(payload)))
      }
      return boxes
    }

    func child(_ type: String) throws -> Box { try #require(try Box.read(payload).first { $0.type == type }) }
  }

  private func pictures(_ sizes: [Int], isIDR: Bool) -> [CodedPicture] {
    sizes.enumerated().map {
      CodedPicture(bytes: ByteBuffer(repeating: UInt8($0 + 1), count: $1), isIDR: isIDR && $0 == 0)
    }
  }

  @Test(arguments: [([100], true), ([100], false), ([2000, 19], true), ([5, 4, 3, 2, 1], false)] as [([Int], Bool)])
  func aPartSaysWherePicturesLieAndHowLongTheyAre(sizes: [Int], isIDR: Bool) throws {
    let part = Fragment.write(pictures(sizes, isIDR: isIDR), start: .seconds(40_000), number: 7)
    let boxes = try Box.read(part)
    #expect(boxes.map(\.type) == ["moof", "mdat"])
    let traf = try boxes[0].child("traf")
    var decodeTime = try traf.child("tfdt").payload
    #expect(decodeTime.readInteger(as: UInt32.self) == 0x0100_0000)
    #expect(decodeTime.readInteger(as: UInt64.self) == 3_600_000_000)
    var run = try traf.child("trun").payload
    let flags = run.readInteger(as: UInt32.self) ?? 0
    #expect(run.readInteger(as: UInt32.self) == UInt32(sizes.count))
    let offset = Int(run.readInteger(as: UInt32.self) ?? 0)
    #expect(part.getInteger(at: part.readerIndex + offset, as: UInt8.self) == 1)
    if isIDR { #expect(run.readInteger(as: UInt32.self) == SampleFlags.sync) }
    #expect((flags & 4 != 0) == isIDR)
    for size in sizes { #expect(run.readInteger(as: UInt32.self) == UInt32(size)) }
    #expect(run.readableBytes == 0)
    #expect(boxes[1].payload.readableBytes == sizes.reduce(0, +))
  }

  @Test func boxesCostNoMoreThanIsSaid() {
    let one = Fragment.write(pictures([1000], isIDR: false), start: .zero, number: 1)
    #expect(one.readableBytes == 1000 + 100)
    let two = Fragment.write(pictures([1000, 19], isIDR: false), start: .zero, number: 1)
    #expect(two.readableBytes == 1019 + 104)
    let idr = Fragment.write(pictures([1000, 19], isIDR: true), start: .zero, number: 1)
    #expect(idr.readableBytes == 1019 + 108)
  }

  @Test func segmentsAreTheirPartsOneAfterTheOther() throws {
    let timeline = try TimelineSettings(part: .seconds(1), segment: .seconds(12))
    var segmenter = Segmenter(settings: timeline, firstSequence: 3)
    var parts = ByteBuffer()
    for slot in 0..<24 {
      let output = segmenter.append(pictures([30 + slot, 19], isIDR: slot % 12 == 0))
      #expect(output.start == .seconds(Int64(slot)))
      #expect(output.position == PartPosition(sequence: 3 + slot / 12, part: slot % 12))
      parts.writeImmutableBuffer(output.part)
      #expect((output.segment != nil) == (slot % 12 == 11))
      if let segment = output.segment {
        #expect(segment == parts)
        parts.clear()
      }
    }
  }
}
