import Media
import NIOCore
import Station
import TestSupport
import Testing

@testable import Packager

@Suite struct StillQueueTests {
  private func still(_ number: Int, bytes: Int = 10) -> Still {
    Still(
      jpeg: ByteBuffer(repeating: UInt8(number), count: bytes), arrival: Ticks(Int64(number)),
      wallTime: WallTime(milliseconds: 0))
  }

  @Test func theNewestWins() {
    var queue = StillQueue(maxCount: 3, maxBytes: 1000)
    let displaced = (0..<5).map { queue.push(still($0)).displaced }
    #expect(displaced == [0, 0, 0, 1, 1])
    #expect(queue.takeAll().map(\.arrival.count) == [2, 3, 4])
    #expect(queue.takeAll().isEmpty)
  }

  @Test func bytesAreBoundedToo() {
    var queue = StillQueue(maxCount: 10, maxBytes: 25)
    #expect(queue.push(still(0)).displaced == 0)
    #expect(queue.push(still(1)).displaced == 0)
    #expect(queue.push(still(2)).displaced == 1)
    #expect(queue.push(still(3, bytes: 500)).displaced == 2)
    #expect(queue.takeAll().map(\.arrival.count) == [3])
    #expect(queue.push(still(4)).displaced == 0)
  }

  @Test(arguments: 0..<20) func everyStillIsEitherTakenOrCounted(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var queue = StillQueue(maxCount: 4, maxBytes: 100)
    var (pushed, displaced, taken) = (0, 0, 0)
    for index in 0..<500 {
      displaced += queue.push(still(index % 200, bytes: Int.random(in: 1...80, using: &generator))).displaced
      pushed += 1
      if Int.random(in: 0..<5, using: &generator) == 0 { taken += queue.takeAll().count }
      #expect(queue.count <= 4)
    }
    #expect(pushed == displaced + taken + queue.count)
  }
}
