import Camera
import Media
import Testing

@Suite struct RhythmTests {
  @Test func beatZeroIsDueAtTheStart() {
    var rhythm = Rhythm(every: .seconds(2), start: .seconds(5))
    #expect(rhythm.beat(at: Ticks.seconds(5) - Ticks(1)) == nil)
    #expect(rhythm.beat(at: .seconds(5)) == Beat(index: 0, time: .zero))
    #expect(rhythm.beat(at: .seconds(5)) == nil)
    #expect(rhythm.due == .seconds(7))
  }

  @Test func aLateFirstBeatBeginsTheGrid() {
    var rhythm = Rhythm(every: .seconds(2), start: .zero)
    #expect(rhythm.beat(at: .seconds(7)) == Beat(index: 0, time: .zero))
    #expect(rhythm.due == .seconds(9))
    #expect(rhythm.beat(at: .milliseconds(9_500)) == Beat(index: 1, time: .seconds(2)))
  }

  @Test func beatsThatAreTakenLateDoNotDrift() {
    var rhythm = Rhythm(every: .milliseconds(2000), start: .zero)
    for index in Int64(0)..<1000 {
      let beat = rhythm.beat(at: Ticks.seconds(2 * index) + .milliseconds(index % 1900))
      #expect(beat == Beat(index: index, time: .seconds(2 * index)))
    }
    #expect(rhythm.due == .seconds(2000))
  }

  @Test func missedBeatsAreLeftOutInsteadOfBursting() {
    var rhythm = Rhythm(every: .seconds(2), start: .zero)
    _ = rhythm.beat(at: .zero)
    #expect(rhythm.beat(at: .milliseconds(9_100)) == Beat(index: 4, time: .seconds(8)))
    #expect(rhythm.beat(at: .milliseconds(9_200)) == nil)
    #expect(rhythm.due == .seconds(10))
  }

  @Test func anotherPaceCountsFromTheLastBeat() {
    var rhythm = Rhythm(every: .seconds(2), start: .zero)
    _ = rhythm.beat(at: .zero)
    _ = rhythm.beat(at: .seconds(2))
    rhythm.change(every: .seconds(5), at: .milliseconds(2_100))
    #expect(rhythm.due == .seconds(7))
    #expect(rhythm.beat(at: .seconds(12)) == Beat(index: 3, time: .seconds(12)))
    rhythm.change(every: .seconds(1), at: .seconds(14))
    #expect(rhythm.due == .seconds(14))
    #expect(rhythm.beat(at: .seconds(14)) == Beat(index: 4, time: .seconds(14)))
  }

  @Test func theSamePaceChangesNothing() {
    var rhythm = Rhythm(every: .seconds(2), start: .zero)
    _ = rhythm.beat(at: .zero)
    let before = rhythm
    rhythm.change(every: .seconds(2), at: .seconds(1))
    #expect(rhythm == before)
  }
}
