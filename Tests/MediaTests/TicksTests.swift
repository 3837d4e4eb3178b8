import Testing

@testable import Media

@Suite struct TicksTests {
  @Test(arguments: [
    ("12", 1_080_000), ("0.5", 45_000), (".04", 3_600), ("2.", 180_000), ("0", 0), ("0.2", 18_000),
    ("86400", 7_776_000_000),
  ])
  func readsDecimalSecondsExactly(text: String, count: Int64) {
    #expect(Ticks(seconds: text) == Ticks(count))
  }

  @Test(arguments: ["", ".", "-1", "+1", "1e3", "1.2.3", "0.000001", "86401", "١", " 1", "99999999999999999999"])
  func refusesWhatIsNoWholeNumberOfTicks(text: String) {
    #expect(Ticks(seconds: text) == nil)
  }

  @Test(
    arguments: [
      ("2", 180_000), ("0.5s", 45_000), ("500ms", 45_000), ("90000ms", 8_100_000), ("86400000ms", 7_776_000_000),
      ("10m", 54_000_000), ("1.5h", 486_000_000),
      ("24h", 7_776_000_000),
      ("0", 0),
    ] as [(String, Int64)])
  func readsLengthsAsPeopleWriteThem(text: String, count: Int64) {
    #expect(Ticks(length: text) == Ticks(count))
  }

  @Test(arguments: [
    "", "s", "ms", "m", "-1s", "25h", "1441m", "86400001ms", "0.001ms", "-5ms", "99999999999999999999ms", "2 s", "1d",
    "1ms2",
  ])
  func refusesWhatIsNoLength(text: String) {
    #expect(Ticks(length: text) == nil)
  }

  @Test(
    arguments: [
      (1_080_000, "12"), (45_000, "0.5"), (3_000, "0.03333"), (-45_000, "-0.5"), (0, "0"), (1, "0.00001"),
      (89_999, "0.99999"),
    ] as [(Int64, String)])
  func writesTheShortestDecimal(count: Int64, text: String) {
    #expect(Ticks(count).secondsText == text)
  }

  @Test func secondsTextReadsBackForEveryWholeTickOfAGrid() {
    for rate: Int64 in [1, 2, 5, 10, 25] {
      let step = Ticks(Ticks.perSecond / rate)
      for index in 0..<200 { #expect(Ticks(seconds: (step * Int64(index)).secondsText) == step * Int64(index)) }
    }
  }

  @Test func durationsAreRoundedDownToTheTickAlsoBelowZero() {
    #expect(Ticks(.seconds(3)) == .seconds(3))
    #expect(Ticks(.nanoseconds(11_111)) == .zero)
    #expect(Ticks(.nanoseconds(11_112)) == Ticks(1))
    #expect(Ticks(.nanoseconds(-1)) == Ticks(-1))
    #expect(Ticks(.seconds(1_000_000_000)) == .seconds(1_000_000_000))
  }

  @Test func divisionRoundsTowardNegativeInfinity() {
    #expect(Ticks(-1).floorDivided(by: Ticks(10)) == -1)
    #expect(Ticks(-10).floorDivided(by: Ticks(10)) == -1)
    #expect(Ticks(19).floorDivided(by: Ticks(10)) == 1)
  }
}
