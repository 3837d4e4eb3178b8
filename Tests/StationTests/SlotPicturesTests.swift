import Media
import Station
import TestSupport
import Testing

@testable import Packager

@Suite struct SlotPicturesTests {
  /// Reads stills drawn on a line of tenths of a slot's step, `-` for nothing and letters for stills, and draws what
  /// each step of the next slot shows: the letter of a new still, or `.` for the picture before.
  private func draw(_ line: String, steps: Int) -> String {
    let step = Ticks(45_000)
    var arrivals: [Ticks] = []
    var letters: [Character] = []
    for (index, letter) in line.enumerated() where letter != "-" {
      arrivals.append(Ticks(Int64(index) * step.count / 10))
      letters.append(letter)
    }
    return String(
      SlotPictures.arrange(arrivals: arrivals, collectedFrom: .zero, step: step, count: steps)
        .map { $0.map { letters[$0] } ?? "." })
  }

  @Test func nothingCameSoThePictureBeforeGoesOn() { #expect(draw("--------------------", steps: 2) == "..") }
  @Test func aSingleStillShowsAtOnce() {
    #expect(draw("a-------------------", steps: 2) == "a.")
    #expect(draw("------------------a-", steps: 2) == "a.")
  }
  @Test func theNewestOfAStepWins() { #expect(draw("abc-------def-------", steps: 2) == "cf") }
  @Test func severalStillsKeepTheirRhythm() {
    #expect(draw("a---------b-------------------", steps: 3) == "ab.")
    #expect(draw("a-------------------b---------", steps: 3) == "a.b")
    #expect(draw("----------a---------b---------", steps: 3) == "ab.")
  }
  @Test func stillsThatCameOutsideTheSlotFallOnItsEnds() {
    #expect(draw("a-----------------------------b", steps: 2) == "ab")
    let step = Ticks(10)
    #expect(
      SlotPictures.arrange(arrivals: [Ticks(-500), Ticks(7_000)], collectedFrom: .zero, step: step, count: 3)
        == [0, nil, 1])
  }

  @Test(arguments: 0..<100)
  func theNewestStillIsAlwaysShownAndNoneTwice(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let count = Int.random(in: 1...6, using: &generator)
      let arrivals = (0..<Int.random(in: 0...12, using: &generator))
        .map { _ in Ticks(Int64.random(in: -100...700, using: &generator)) }.sorted()
      let steps = SlotPictures.arrange(arrivals: arrivals, collectedFrom: .zero, step: Ticks(100), count: count)
      let shown = steps.compactMap { $0 }
      #expect(steps.count == count)
      #expect(shown == shown.sorted() && Set(shown).count == shown.count)
      #expect(shown.last == arrivals.indices.last)
      #expect(arrivals.isEmpty || steps.first != .some(nil))
    }
  }
}
