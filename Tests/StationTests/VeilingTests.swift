import Media
import NIOCore
import Packager
import Testing

@testable import Station

@Suite struct VeilingTests {
  private func segment(_ steps: [Int]) -> LoopSegment {
    LoopSegment(
      pictures: [],
      changes: steps.map { ShownPicture(step: $0, jpeg: ByteBuffer(string: "picture \($0)")) },
      opening: ByteBuffer(string: "opening"))
  }

  private func covering(_ steps: [Int], before next: Int? = nil) -> CoveringSegment {
    CoveringSegment(
      segment: segment(steps), next: next.map { LoopSegmentPlace(generation: 1, index: $0) })
  }

  private func jpegs(_ words: String...) -> [ByteBuffer] { words.map { ByteBuffer(string: $0) } }

  @Test func aVeilPlaysWhatFitsAndCoversStillsUntilThen() {
    var veiling = Veiling()
    veiling.fall()
    veiling.begin(.covers([covering([0, 4])]))
    #expect(!veiling.isPlaying && veiling.covers.pictures == jpegs("picture 0", "picture 4"))
    veiling.begin(.plays(segment([0]), shift: .milliseconds(20)))
    #expect(veiling.mode == .playing(shift: .milliseconds(20)) && veiling.covers.count == 0)
  }

  @Test func coversThatAreLeftComeFirst() {
    var veiling = Veiling()
    veiling.fall()
    veiling.begin(.covers([covering([0, 4]), covering([2])]))
    _ = veiling.covers.take()
    veiling.begin(.covers([covering([1])]))
    #expect(veiling.covers.pictures == jpegs("picture 4", "picture 2", "picture 1"))
    veiling.fall()
    #expect(veiling.covers.count == 0, "they are of another veil")
  }

  @Test func theLoopCanGoOnBehindTheLastPictureOfASegment() {
    var covers = CoverQueue()
    covers.append([covering([0, 4], before: 8), covering([], before: 9), covering([2], before: 10), covering([5])])
    #expect(covers.places.map(\.index) == [8, 10])
    var before: [Int?] = []
    while covers.take() != nil { before.append(covers.standsBefore?.index) }
    #expect(before == [nil, 8, 10, nil])
    covers.append([covering([1], before: 3)])
    _ = covers.take()
    covers.miss()
    #expect(covers.standsBefore == nil, "another picture is shown")
  }

  @Test func aSegmentWithoutNewsCoversWithThePictureThatStands() {
    var veiling = Veiling()
    veiling.fall()
    veiling.begin(.covers([covering([])]))
    #expect(veiling.covers.pictures == jpegs("opening"))
    veiling.fall()
    veiling.begin(.covers([covering([]), covering([3])]))
    #expect(veiling.covers.pictures == jpegs("picture 3"))
  }

  @Test func aLoopThatCannotBeReadLetsThePictureBeforeStand() {
    var veiling = Veiling()
    veiling.fall()
    veiling.begin(.covers([]))
    #expect(!veiling.isPlaying && veiling.covers.count == 0)
  }

  @Test func aCameraThatHasStoppedLetsTheLoopStandUntilTheSegmentEnds() {
    var veiling = Veiling()
    veiling.fall()
    veiling.begin(.covers([covering([0])]))
    veiling.stand()
    #expect(veiling.mode == .covering, "what covers stills stands without them anyway")
    veiling.begin(.plays(segment([0]), shift: .zero))
    veiling.stand()
    #expect(veiling.mode == .standing && !veiling.isPlaying)
    veiling.begin(.covers([]))
    #expect(veiling.mode == .covering)
  }

  @Test func onlyAnEndingVeilThatCoversStillsShowsThem() {
    var veiling = Veiling()
    veiling.fall()
    veiling.reveal()
    #expect(veiling.mode == .covering, "it has only begun")
    expect(&veiling, isInStep: false, stays: true, "out of step")
    veiling.begin(.covers([covering([0])]))
    veiling.reveal()
    #expect(veiling.mode == .revealing)
  }

  @Test func theLoopDoesNotGoOnBehindAStillOfTheCamera() {
    var veiling = Veiling()
    veiling.fall()
    expect(&veiling, isInStep: false, stays: true, "out of step")
    veiling.begin(.covers([covering([0], before: 4)]))
    _ = veiling.covers.take()
    #expect(veiling.covers.standsBefore?.index == 4)
    veiling.reveal()
    #expect(veiling.covers.standsBefore == nil, "what is revealed is shown now")
    veiling.begin(.covers([covering([0, 2])]))
    veiling.end()
    #expect(veiling.covers.count == 0, "they are of another veil")
  }

  private func expect(_ veiling: inout Veiling, isInStep: Bool, stays: Bool, _ why: Comment) {
    let found = veiling.stays(isInStep: isInStep, segment: .seconds(30))
    #expect(found == stays, why)
  }

  @Test func theVeilEndsInStepOrAfterAWhile() {
    var veiling = Veiling()
    veiling.fall()
    expect(&veiling, isInStep: true, stays: false, "in step")
    #expect(!veiling.isEnding)
    for _ in 0..<4 { expect(&veiling, isInStep: false, stays: true, "out of step") }
    #expect(veiling.isEnding)
    expect(&veiling, isInStep: false, stays: false, "it has waited long enough")
    veiling.fall()
    expect(&veiling, isInStep: false, stays: true, "each veil has its own patience")
    veiling.goOn()
    #expect(!veiling.isEnding, "it was ordered again")
    var waited = 0
    while veiling.stays(isInStep: false, segment: .seconds(6)) { waited += 1 }
    #expect(waited == 15, "short segments give no time to come into step")
  }
}
