import Media
import NIOCore
import Packager
import TestSupport
import Testing

@testable import Station

/// What all cameras together keep of what they showed lately.
struct RecentMemoryTests {
  private let timeline: TimelineSettings

  init() throws { timeline = try TimelineSettings(part: .seconds(1), segment: .seconds(4)) }

  private func media(_ memory: RecentMemory) -> RecentMedia {
    RecentMedia(length: .seconds(600), timeline: timeline, memory: memory)
  }

  private func segment(_ bytes: Int) -> RecentSegment {
    var segment = RecentSegment(opening: ByteBuffer(repeating: 0, count: 1))
    segment.media = ByteBuffer(repeating: 1, count: bytes)
    return segment
  }

  @Test func theOneThatHasTheMostForgetsItsOldest() {
    let memory = RecentMemory(limit: 1000)
    let (big, small) = (media(memory), media(memory))
    for _ in 0..<9 { big.append(segment(100), header: ByteBuffer()) }
    small.append(segment(100), header: ByteBuffer())
    #expect((big.bytes, small.bytes, memory.bytes) == (900, 100, 1000))
    // Also one that shows nothing new any more.
    for count in 2...5 {
      small.append(segment(100), header: ByteBuffer())
      #expect((big.bytes, small.bytes) == (1000 - 100 * count, 100 * count))
    }
    small.append(segment(100), header: ByteBuffer())
    #expect((big.bytes, small.bytes) == (500, 500))
  }

  @Test func eachKeepsItsNewest() throws {
    let memory = RecentMemory(limit: 100)
    let all = (0..<10).map { _ in media(memory) }
    for _ in 0..<3 { for one in all { one.append(segment(200), header: ByteBuffer()) } }
    #expect(all.allSatisfy { $0.bytes == 200 } && memory.bytes == 2000)
    #expect(all.allSatisfy { $0.file(span: .seconds(60), segment: timeline.segment) != nil })
  }

  @Test func whatIsForgottenOrEndsMakesRoom() {
    let memory = RecentMemory(limit: 1000)
    let kept = media(memory)
    do {
      let other = media(memory)
      for _ in 0..<5 { other.append(segment(100), header: ByteBuffer()) }
      #expect(memory.bytes == 500)
    }
    #expect(memory.bytes == 0)
    let cleared = media(memory)
    for _ in 0..<5 { cleared.append(segment(100), header: ByteBuffer()) }
    cleared.clear()
    for _ in 0..<10 { kept.append(segment(100), header: ByteBuffer()) }
    #expect((kept.bytes, memory.bytes) == (1000, 1000))
  }

  @Test(arguments: UInt64(0)..<20) func theLimitHoldsAlwaysAndNobodyStarves(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let memory = RecentMemory(limit: 10_000)
    var all = (0..<8).map { _ in media(memory) }
    for _ in 0..<500 {
      switch Int.random(in: 0..<40, using: &random) {
      case 0: all[Int.random(in: 0..<8, using: &random)] = media(memory)
      case 1: all[Int.random(in: 0..<8, using: &random)].clear()
      default:
        let one = all[Int.random(in: 0..<8, using: &random)]
        one.append(segment(Int.random(in: 1...1000, using: &random)), header: ByteBuffer())
        #expect(one.bytes > 0)
      }
      #expect(memory.bytes <= 10_000 && memory.bytes == all.reduce(0) { $0 + $1.bytes })
    }
  }

  @Test func camerasOnManyThreadsShareIt() async {
    let memory = RecentMemory(limit: 20_000)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for _ in 0..<20 {
            let one = media(memory)
            for _ in 0..<50 { one.append(segment(300), header: ByteBuffer()) }
          }
        }
      }
    }
    #expect(memory.bytes == 0)
  }
}
