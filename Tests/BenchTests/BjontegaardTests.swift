import Testing

@testable import Bench

@Suite struct BjontegaardTests {
  private let anchor: [Bjontegaard.Point] = [(100, 8), (200, 10), (400, 12.5), (800, 14)]

  @Test func theSameCurveDiffersByNothing() throws {
    let difference = try #require(Bjontegaard.rateDifference(of: anchor, against: anchor))
    #expect(abs(difference) < 1e-12)
  }

  @Test(arguments: [0.25, 0.5, 3.0])
  func aCurveOfAMultipleOfTheBytesDiffersByIt(_ factor: Double) throws {
    let curve = anchor.map { ($0.rate * factor, $0.quality) }
    let difference = try #require(Bjontegaard.rateDifference(of: curve, against: anchor))
    #expect(abs(difference - (factor - 1)) < 1e-9)
  }

  @Test func onlyTheCommonQualitiesCount() throws {
    // Equal up to 10, and dearer only where the anchor has no point.
    let curve: [Bjontegaard.Point] = [(100, 8), (200, 10)]
    let anchor: [Bjontegaard.Point] = [(50, 6), (100, 8), (200, 10)]
    let difference = try #require(Bjontegaard.rateDifference(of: curve, against: anchor))
    #expect(abs(difference) < 0.01)
  }

  @Test func curvesWithoutACommonQualityAreNotCompared() {
    #expect(Bjontegaard.rateDifference(of: [(1, 1), (2, 2)], against: [(1, 3), (2, 4)]) == nil)
    #expect(Bjontegaard.rateDifference(of: [(1, 1)], against: anchor) == nil)
  }

  @Test func aCurveGoesThroughItsPointsAndRisesBetweenThem() throws {
    for point in anchor {
      let rate = try #require(Bjontegaard.rate(of: anchor, at: point.quality))
      #expect(abs(rate - point.rate) < 1e-6)
    }
    let rates = try stride(from: 8.0, through: 14, by: 0.1).map {
      try #require(Bjontegaard.rate(of: anchor, at: min($0, 14)))
    }
    #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 <= $1 })
    #expect(Bjontegaard.rate(of: anchor, at: 15) == nil)
  }
}
