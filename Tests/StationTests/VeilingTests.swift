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

  private func jpegs(_ words: String...) -> [ByteBuffer] { words.map { ByteBuffer(string: $0) } }

  @Test func aVeilOnLivePicturesCoversStillsUntilOneFits() {
    var veiling = Veiling()
    veiling.fall(isLive: true)
    veiling.begin(segment([0, 4]))
    #expect(!veiling.isPlaying && veiling.covers == jpegs("picture 0", "picture 4"))
    veiling.enter(places: [], recorded: [0], canGoOn: true)
    #expect(!veiling.isPlaying, "no still came")
    veiling.enter(places: [0, 1], recorded: [0], canGoOn: true)
    #expect(!veiling.isPlaying, "other steps")
    veiling.enter(places: [0], recorded: [0], canGoOn: false)
    #expect(!veiling.isPlaying, "the next one would come out of step")
    veiling.enter(places: [0], recorded: [0], canGoOn: true)
    #expect(veiling.isPlaying)
    veiling.begin(segment([3]))
    #expect(veiling.isPlaying, "it goes on segment by segment")
  }

  @Test func wherePicturesNeverFitTheRecordingPlaysAllTheSameWhenAStillComes() {
    var veiling = Veiling()
    veiling.fall(isLive: true)
    for _ in 0..<100 { veiling.enter(places: [], recorded: [0], canGoOn: true) }
    #expect(!veiling.isPlaying)
    for _ in 0..<5 {
      #expect(!veiling.isPlaying)
      veiling.enter(places: [1], recorded: [0], canGoOn: false)
    }
    #expect(veiling.isPlaying)
  }

  @Test func whereARecordingIsShownAlreadyItPlaysAtOnce() {
    var veiling = Veiling()
    veiling.fall(isLive: false)
    veiling.begin(segment([0]))
    #expect(veiling.isPlaying)
  }

  @Test func aSegmentWithoutNewsCoversWithThePictureThatStands() {
    var veiling = Veiling()
    veiling.fall(isLive: true)
    veiling.begin(segment([]))
    #expect(veiling.covers == jpegs("opening"))
  }

  @Test func aRecordingThatCannotBeReadLetsThePictureBeforeStand() {
    var veiling = Veiling()
    veiling.fall(isLive: false)
    veiling.begin(nil)
    #expect(!veiling.isPlaying && veiling.covers.isEmpty)
  }

  private func expect(_ veiling: inout Veiling, isInStep: Bool, stays: Bool, _ why: Comment) {
    let found = veiling.stays(isInStep: isInStep)
    #expect(found == stays, why)
  }

  @Test func theVeilIsLiftedInStepOrAfterAWhile() {
    var veiling = Veiling()
    veiling.fall(isLive: true)
    expect(&veiling, isInStep: false, stays: false, "stills are covered one by one: any time will do")
    veiling.fall(isLive: false)
    expect(&veiling, isInStep: true, stays: false, "in step")
    for _ in 0..<4 { expect(&veiling, isInStep: false, stays: true, "out of step") }
    expect(&veiling, isInStep: false, stays: false, "it has waited long enough")
    veiling.fall(isLive: false)
    expect(&veiling, isInStep: false, stays: true, "each veil has its own patience")
  }
}
