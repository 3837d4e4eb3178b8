import Media
import NIOCore
import TestSupport
import Testing

@testable import Packager

@Suite struct ShownPicturesTests {
  private let shown = ShownPictures(
    step: .milliseconds(500), opening: ByteBuffer(repeating: 1, count: 900),
    pictures: [
      ShownPicture(step: 3, jpeg: ByteBuffer(repeating: 2, count: 70), slotOffset: .milliseconds(770)),
      ShownPicture(step: 7, jpeg: ByteBuffer(repeating: 3, count: 1)),
    ])

  private func part() throws -> ByteBuffer {
    let timeline = try TimelineSettings(rate: 2, part: .seconds(1), segment: .seconds(1))
    var segmenter = Segmenter(settings: timeline, firstSequence: 0)
    let pictures = [0x65, 0x41].map { header in
      var unit = ByteBuffer(integer: UInt32(9))
      unit.writeInteger(UInt8(header))
      unit.writeRepeatingByte(7, count: 8)
      return CodedPicture(bytes: unit, isIDR: header == 0x65)
    }
    return segmenter.append(pictures).part
  }

  @Test func whatWasWrittenComesBackInItsOrder() throws {
    var bytes = shown.box
    bytes.writeImmutableBuffer(try part())
    bytes.writeImmutableBuffer(try part())
    bytes.writeImmutableBuffer(shown.box)
    var found: [ShownPictures?] = []
    for item in try FragmentReader.items(in: bytes) {
      if case .pictures(let pictures) = item { found.append(pictures) } else { found.append(nil) }
    }
    #expect(found == [shown, nil, nil, shown])
    #expect(throws: FragmentReader.Damage.self) { try FragmentReader.parts(in: bytes) }
  }

  @Test func itIsABoxThatPlayersPassOver() {
    let box = shown.box
    #expect(box.getInteger(at: 0, as: UInt32.self) == UInt32(box.readableBytes))
    #expect(box.getString(at: 4, length: 4) == "uuid")
  }

  @Test func noBeginningOfItIsTaken() throws {
    let box = shown.box
    for length in 1..<box.readableBytes {
      #expect(throws: FragmentReader.Damage.self) { try FragmentReader.items(in: box.getSlice(at: 0, length: length)!) }
    }
  }

  @Test func damageIsAnErrorOrOtherPicturesAndNeverACrash() throws {
    var bytes = shown.box
    bytes.writeImmutableBuffer(try part())
    var random = SeededGenerator(seed: 5)
    for _ in 0..<20_000 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 0..<90, using: &random)
        damaged.setInteger(UInt8.random(in: 0...255, using: &random), at: place)
      }
      guard let items = try? FragmentReader.items(in: damaged) else { continue }
      for case .pictures(let pictures) in items {
        #expect(zip(pictures.pictures, pictures.pictures.dropFirst()).allSatisfy { $0.step < $1.step })
        #expect(pictures.opening == nil || pictures.pictures.first?.step != 0)
        #expect(pictures.step > .zero)
      }
    }
  }
}
