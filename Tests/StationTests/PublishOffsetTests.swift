import Media
import Picture
import TestSupport
import Testing

@testable import Station

@Suite struct PublishOffsetTests {
  private static let size = PictureSize(width: 640, height: 360)
  private var offset = PublishOffset(size: Self.size, part: .seconds(2))

  /// Whole segments of ten parts, each ready after the next of these times.
  private mutating func play(_ segments: Int, ready: [Int64], isEdge: Bool = false, isCoded: Bool = true) -> [Ticks] {
    var values: [Ticks] = []
    for segment in 0..<segments {
      offset.beginSegment(isEdge: isEdge && segment == 0)
      for part in 0..<10 {
        offset.note(ready: .milliseconds(ready[(segment * 10 + part) % ready.count]), isCoded: isCoded)
        offset.published(part: part, of: 10)
        values.append(offset.value)
      }
    }
    return values
  }

  @Test func itBeginsWithMoreForLargerPicturesAndStaysBelowAPart() {
    #expect(offset.value == .milliseconds(50))
    #expect(PublishOffset(size: PictureSize(width: 1920, height: 1080), part: .seconds(2)).value == .milliseconds(230))
    #expect(
      PublishOffset(size: PictureSize(width: 1920, height: 1080), part: .milliseconds(200)).value == .milliseconds(100))
  }

  @Test mutating func partsThatAreReadyInTimeChangeNothing() {
    #expect(Set(play(200, ready: [1, 12, 49, 30, 5])) == [.milliseconds(50)])
    #expect(offset.late == 0)
  }

  @Test mutating func twoLatePartsAreAnAccidentAndThreeAreNot() {
    _ = play(2, ready: [10])
    #expect(Set(play(1, ready: [10, 80, 10, 300, 10, 10, 10, 10, 10, 10])) == [.milliseconds(50)])
    let values = play(1, ready: [10, 70, 10, 10, 10, 10, 10, 10, 10, 10])
    #expect(values == Array(repeating: .milliseconds(50), count: 5) + Array(repeating: .milliseconds(100), count: 5))
    #expect(offset.late == 3)
    #expect(Set(play(200, ready: [10, 95])) == [.milliseconds(100)], "it stays where it is")
  }

  @Test mutating func itNeverChangesInTheFirstSegmentAfterAnEdge() {
    _ = play(3, ready: [10])
    #expect(Set(play(1, ready: [90], isEdge: true)) == [.milliseconds(50)])
    #expect(Set(play(1, ready: [90], isEdge: true)) == [.milliseconds(50)])
    let values = play(1, ready: [90])
    #expect(values.first == .milliseconds(50) && values.last == .milliseconds(120))
  }

  @Test mutating func itStaysWhereTheStreamGoesOnWithOtherSettings() {
    _ = play(2, ready: [10])
    _ = play(2, ready: [300])
    let value = offset.value
    #expect(value > .milliseconds(300))
    let next = offset.goingOn(size: Self.size, part: .seconds(2))
    #expect(next.value == value && next.late == offset.late)
    // At most half a part, and at least what such pictures need.
    #expect(offset.goingOn(size: Self.size, part: .milliseconds(400)).value == .milliseconds(200))
    let large = PictureSize(width: 3840, height: 2160)
    #expect(offset.goingOn(size: large, part: .seconds(4)).value == .milliseconds(850))
  }

  @Test mutating func whatIsPlayedAndNotCodedTeachesNothing() {
    _ = play(1, ready: [10])
    #expect(Set(play(20, ready: [400], isCoded: false)) == [.milliseconds(50)])
  }

  @Test mutating func overloadAndStandstillKeepItBelowHalfAPart() {
    _ = play(20, ready: [1900])
    #expect(offset.value == .seconds(1))
    _ = play(20, ready: [2000, 60_000])
    #expect(offset.value == .seconds(1))
  }

  @Test mutating func itBecomesShorterOnlyAfterManyHours() {
    _ = play(3, ready: [10])
    _ = play(3, ready: [160])
    #expect(offset.value == .milliseconds(200))
    #expect(play(2500, ready: [10]).last == .milliseconds(200), "some parts were slow at first")
    #expect(play(2000, ready: [10]).last == .milliseconds(150))
    #expect(play(2000, ready: [10, 80]).last == .milliseconds(150), "half of the parts need more than half of it")
    for _ in 0..<7 { _ = play(2000, ready: [10]) }
    #expect(offset.value == .milliseconds(50), "never shorter than at the beginning")
  }
}
