import NIOCore
import Testing

@testable import Station

/// Which finished answers are kept, and for how long.
@Suite struct KeptAnswersTests {
  private final class Answer: Sendable {}

  private func key(_ number: Int) -> ByteBuffer { ByteBuffer(string: "/desk/live.m3u8?\(number)") }

  @Test func anAnswerIsKeptUntilSomethingElseIsPublished() {
    var kept = KeptAnswers()
    kept.keep(Answer(), bytes: 100, for: key(1), version: kept.version)
    #expect(kept[key(1)] != nil)
    let old = kept.version
    kept.empty()
    #expect(kept[key(1)] == nil)
    kept.keep(Answer(), bytes: 100, for: key(1), version: old)
    #expect(kept[key(1)] == nil, "it was made from what was published before")
  }

  @Test func theirMemoryIsBounded() {
    var kept = KeptAnswers()
    let size = KeptAnswers.mostBytes / 10
    for number in 0..<20 { kept.keep(Answer(), bytes: size, for: key(number), version: kept.version) }
    #expect((0..<20).count { kept[key($0)] != nil } == 9, "with their keys, ten are too many")
    kept.empty()
    kept.keep(Answer(), bytes: size, for: key(0), version: kept.version)
    #expect(kept[key(0)] != nil)
  }
}
