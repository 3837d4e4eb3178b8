import Media
import Station
import TestSupport
import Testing

@testable import Packager

@Suite struct DirectorTests {
  private let presence = CameraPresence.Settings(hold: .seconds(30), steady: .zero)

  private func director(veil: Veil.Settings? = nil, standing: Director.Standing = .init()) -> Director {
    var director = Director(presence: CameraPresence(settings: presence), veil: veil, standing: standing)
    director.stillArrived(at: .zero)
    return director
  }

  private func expect(
    _ director: inout Director, at moment: Ticks, _ source: Director.Source,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let decision = director.decide(at: moment)
    #expect(decision == source, sourceLocation: sourceLocation)
  }

  @Test func ordersTakeEffectWithTheNextSegment() {
    var director = director()
    expect(&director, at: .zero, .live)
    director.take(.pause)
    #expect(director.source == .live)
    expect(&director, at: .seconds(1), .paused)
    director.take(.veil)
    expect(&director, at: .seconds(2), .paused)
    director.take(.resume)
    expect(&director, at: .seconds(3), .veiled)
    director.take(.unveil)
    expect(&director, at: .seconds(4), .live)
  }

  @Test func anOffCameraIsNotVeiled() {
    var director = director()
    _ = director.decide(at: .zero)
    director.take(.veil)
    expect(&director, at: .seconds(60), .off)
  }

  @Test func withdrawnPicturesDoNotComeBackWithResume() {
    var director = director()
    _ = director.decide(at: .zero)
    director.withdraw()
    #expect(director.source == .paused)
    director.take(.resume)
    expect(&director, at: .seconds(1), .off)
    director.stillArrived(at: .seconds(2))
    expect(&director, at: .seconds(3), .live)
  }

  @Test func standingOrdersOfAnEarlierLifeHold() {
    var standing = Director.Standing()
    standing.isVeiled = true
    var director = director(standing: standing)
    expect(&director, at: .zero, .veiled)
  }

  @Test func timesAreDrawnEvenlyUpToBothBounds() {
    // Five moments of a tick each: a veil falls at each of them equally often.
    var counts = [Int](repeating: 0, count: 5)
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<20_000 {
      var veil = Veil(settings: .init(every: Ticks(10)...Ticks(14), length: Ticks(1)...Ticks(1)))
      var now: Int64 = 0
      while !veil.decide(at: Ticks(now), using: &generator) { now += 1 }
      counts[Int(now) - 10] += 1
    }
    // Six standard deviations of a binomial distribution.
    #expect(counts.allSatisfy { abs($0 - 4000) < 340 }, "\(counts)")
  }

  @Test func twoDirectorsThatSeeTheSameDrawOtherTimes() {
    func falls() -> [Int] {
      let range = Ticks.seconds(1)...Ticks.seconds(20)
      var director = director(veil: .init(every: range, length: range))
      return (0..<25).filter { director.decide(at: .seconds(Int64($0))) == .veiled }
    }
    // Forty alike of so many would be a generator that begins alike each time.
    #expect(Set((0..<40).map { _ in falls() }).count > 10)
  }

  @Test func veilsFallAndLiftWithinTheirRanges() {
    let every = Ticks.seconds(60)...Ticks.seconds(120)
    let length = Ticks.seconds(10)...Ticks.seconds(40)
    var veil = Veil(settings: .init(every: every, length: length))
    var generator = SeededGenerator(seed: 11)
    var changes: [(at: Ticks, isDown: Bool)] = []
    var now = Ticks.zero
    while changes.count < 400 {
      let isDown = veil.decide(at: now, using: &generator)
      if isDown != changes.last?.isDown ?? false { changes.append((now, isDown)) }
      now = now + .seconds(1)
    }
    for (one, next) in zip(changes, changes.dropFirst()) {
      let range = one.isDown ? length : every
      #expect(range.lowerBound <= next.at - one.at && next.at - one.at <= range.upperBound + .seconds(1))
    }
    // Drawn anew each time, over the whole range.
    let lengths = zip(changes, changes.dropFirst()).filter(\.0.isDown).map { $1.at - $0.at }
    #expect(Set(lengths).count > 20)
    #expect(lengths.contains { $0 < .seconds(15) } && lengths.contains { $0 > .seconds(35) })
  }
}
