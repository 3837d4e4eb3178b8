import Media
import Testing

@Suite struct HistogramTests {
  @Test func eachDurationIsInEveryRangeThatReachesIt() {
    let histogram = Histogram(milliseconds: [1, 10, 100])
    for nanoseconds in [0, 1_000_000, 1_000_001, 100_000_000, 100_000_001] as [Int64] {
      histogram.add(nanoseconds: nanoseconds)
    }
    let counted = histogram.counted
    #expect(counted.cumulative == [2, 3, 4] && counted.count == 5)
    #expect(counted.sum == 202_000_002)
  }

  @Test func durationsAndTicksAreTheSameTime() {
    let (first, second) = (Histogram(milliseconds: [500]), Histogram(milliseconds: [500]))
    first.add(.milliseconds(1500))
    second.add(Ticks.milliseconds(1500))
    #expect(first.counted == second.counted && first.counted.sum == 1_500_000_000)
  }

  @Test func aNegativeDurationTakesNothingFromTheSum() {
    let histogram = Histogram(milliseconds: [1])
    histogram.add(nanoseconds: -5)
    let counted = histogram.counted
    #expect(counted.cumulative == [1] && counted.count == 1 && counted.sum == 0)
  }

  @Test func threadsLoseNothing() async {
    let histogram = Histogram(milliseconds: [1])
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { for step in 0..<1000 { histogram.add(nanoseconds: Int64(step) * 2000) } }
      }
    }
    #expect(histogram.counted.count == 8000 && histogram.counted.cumulative == [8 * 501])
  }
}
