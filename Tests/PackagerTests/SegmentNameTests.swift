import Media
import NIOCore
import Testing

@testable import Packager

@Suite struct SegmentNameTests {
  @Test func whatFollowsIsTheNextNumber() {
    #expect(SegmentName(number: 7).following == SegmentName(number: 8))
    #expect(SegmentName(plain: 7).following == nil && SegmentName(loop: "1f", index: 7).following == nil)
    // A file of the store can have any name.
    #expect(SegmentName(file: "9223372036854775807.mp4")?.following == nil)
    #expect(SegmentName(file: "9223372036854775806.mp4")?.following == SegmentName(number: .max))
  }

  @Test(arguments: ["", ".mp4", "a/b.mp4", "../1.mp4", "A.mp4", "init-1.mp4", "1.jpg", "1.0.mp4"])
  func whatIsNoSegmentHasNoName(file: String) { #expect(SegmentName(file: file) == nil) }

  @Test func aPartOfATimeThatNobodyReachesIsDamaged() {
    let bytes = Fragment.write(
      [CodedPicture(bytes: ByteBuffer(bytes: [0, 0, 0, 2, 5, 7]), isIDR: true)], start: .seconds(4), number: 1)
    #expect((try? FragmentReader.parts(in: bytes))?.first?.start == .seconds(4))
    var damaged = Array(bytes.readableBytesView)
    let time = damaged.indices.first { damaged[$0...].starts(with: Array("tfdt".utf8)) }.map { $0 + 8 } ?? 0
    damaged[time] = 0x7F
    #expect(throws: FragmentReader.Damage.self) { try FragmentReader.parts(in: ByteBuffer(bytes: damaged)) }
  }
}
