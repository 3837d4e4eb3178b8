import Media
import Testing

@testable import Picture

@Suite struct SSIMTargetTests {
  /// A scene whose lack of similarity doubles with every four steps of the quantizer.
  private func similarity(offset: Double, finest: Double) -> Double { 1 - (1 - finest) * exp2(offset / 4) }

  private func exp2(_ power: Double) -> Double {
    var (result, rest) = (1.0, power)
    while rest >= 1 { (result, rest) = (result * 2, rest - 1) }
    // Between two powers a straight line is near enough.
    return result * (1 + rest)
  }

  @Test func anEasySceneIsCodedCoarserUntilTheAimIsMet() {
    var aim = SSIMTarget(similarity: 0.976)
    aim.beginSegment()
    var trials = 1
    while trials < 10, aim.judge(idr: similarity(offset: aim.offset, finest: 0.996)) { trials += 1 }
    #expect(aim.offset > 4 && trials <= 3)
    // Pictures after the IDR picture are as good: the next segment may be coarser still.
    let first = aim.offset
    for _ in 0..<10 { aim.saw(similarity(offset: aim.offset, finest: 0.996), isIDR: false) }
    aim.saw(similarity(offset: aim.offset, finest: 0.996), isIDR: true)
    aim.beginSegment()
    while trials < 20, aim.judge(idr: similarity(offset: aim.offset, finest: 0.996)) { trials += 1 }
    #expect(aim.offset > first)
  }

  @Test func aHardSceneGetsTheFinestAndNoMore() {
    var aim = SSIMTarget(similarity: 0.976)
    aim.beginSegment()
    let again = aim.judge(idr: 0.9)
    #expect(!again)
    #expect(aim.offset == 0)
  }

  @Test func anotherSceneBeginsWithTheFinest() {
    var aim = SSIMTarget(similarity: 0.976)
    aim.beginSegment()
    let again = aim.judge(idr: 0.9999)
    #expect(again && aim.offset > 0)
    aim.observe(share: 0.2)
    #expect(aim.offset == 0)
  }

  @Test func aSceneAtRestMayLackAThirdMore() {
    func offset(share: Float) -> Double {
      var aim = SSIMTarget(similarity: 0.973)
      for _ in 0..<40 { aim.observe(share: share) }
      aim.beginSegment()
      while aim.judge(idr: similarity(offset: aim.offset, finest: 0.996)) {}
      return aim.offset
    }
    let (moving, rest) = (offset(share: 0.9), offset(share: 0.98))
    // Four steps double what is lacking; a third more are nearly two.
    #expect(abs(rest - moving - 1.73) < 0.6)
    let between = offset(share: 0.945)
    #expect(between > moving && between < rest)
  }
}

@Suite struct SimilarityTests {
  @Test func equalPicturesAreAlikeAndGrainTakesAwayFromIt() throws {
    let size = PictureSize(width: 160, height: 120)
    let calm = try grainyPicture(size: size, grain: 0, seed: 1)
    var meter = SimilarityMeter()
    let equal = try meter.measure(calm, calm)
    #expect(equal == 1)
    let some = try meter.measure(try grainyPicture(size: size, grain: 5, seed: 1), calm)
    let more = try meter.measure(try grainyPicture(size: size, grain: 40, seed: 1), calm)
    #expect(some < 1 && more < some && more > 0)
  }

  @Test func theStreamsOwnDecoderShowsWhatAForeignOneShows() throws {
    let size = PictureSize(width: 96, height: 64)
    var encoder = try PictureEncoder(
      settings: EncoderSettings(), size: size, step: .milliseconds(500), rateWindow: .seconds(4))
    var stream = CodedStream(size: size)
    var decoder = try StreamDecoder()
    var seen: [Planes] = []
    for (index, role) in [PictureEncoder.Role.idr, .repeated, .new, .repeated, .idr, .new].enumerated() {
      let picture = try grainyPicture(size: size, grain: 20, seed: UInt64(index / 2))
      try stream.add(picture, as: role, with: &encoder)
      seen.append(Planes(try decoder.decode(try #require(stream.pictures.last))))
    }
    #expect(try stream.decoded() == seen)
  }

  @Test func whatStandsStillGetsFinerQuantizersThanWhatMoves() throws {
    let size = PictureSize(width: 128, height: 64)
    guard var motion = MotionMap(size: size) else { return }
    for seed in 0..<4 as Range<UInt64> {
      // The left half is the same each time.
      let moving = try grainyPicture(size: size, grain: 90, seed: seed)
      let calm = try grainyPicture(size: size, grain: 90, seed: 99)
      moving.withPlane(0) { target in
        calm.withPlane(0) { source in
          for y in 0..<target.height { for x in 0..<size.width / 2 { target.row(y)[x] = source.row(y)[x] } }
        }
      }
      try motion.observe(moving)
    }
    let offsets = motion.offsets(remaining: 10)
    let columns = MotionMap.columns(of: size)
    #expect(offsets.count == 32)
    for (index, offset) in offsets.enumerated() {
      if index % columns < columns / 2 { #expect(offset < 0) } else { #expect(offset > 0) }
    }
    // Before an IDR picture nothing serves any further picture.
    #expect(Set(motion.offsets(remaining: 0)) == [8])
  }
}
