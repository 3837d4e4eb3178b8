import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import Origin

/// What is to be done on an event loop after a time.
struct LoopDeadlinesTests {
  private final class Notes {
    var done: [Int] = []
    var deadlines: [Int: Deadline] = [:]
  }

  private let loop = EmbeddedEventLoop()
  private let notes = Notes()

  private func set(_ number: Int, in time: TimeAmount) {
    notes.deadlines[number] = loop.deadline(in: time) { [notes] in notes.done.append(number) }
  }

  @Test func itIsDoneAtItsTimeAndNotBefore() {
    set(1, in: .seconds(10))
    loop.advanceTime(by: .milliseconds(9_999))
    #expect(notes.done.isEmpty)
    loop.advanceTime(by: .milliseconds(1))
    #expect(notes.done == [1])
    loop.advanceTime(by: .hours(1))
    #expect(notes.done == [1])
  }

  @Test func itIsAtMost32MillisecondsLate() {
    for time in 1...200 { set(time, in: .milliseconds(Int64(time))) }
    for time in 1...232 {
      loop.advanceTime(by: .milliseconds(1))
      #expect(Set(notes.done).isSuperset(of: 1...max(1, min(time - 32, 200))) || time < 33)
      #expect(notes.done.allSatisfy { $0 <= time })
    }
    #expect(notes.done.sorted() == Array(1...200))
  }

  @Test func oneThatIsFarAwayIsAtMostAQuarterOfASecondLate() {
    loop.advanceTime(by: .milliseconds(77))
    set(1, in: .seconds(60))
    loop.advanceTime(by: .milliseconds(59_999))
    #expect(notes.done.isEmpty)
    loop.advanceTime(by: .milliseconds(251))
    #expect(notes.done == [1])
  }

  @Test func whatIsCalledOffIsNotDone() {
    for number in 0..<1000 { set(number, in: .milliseconds(Int64(number))) }
    for number in 0..<1000 where number % 10 != 0 { notes.deadlines[number]?.cancel() }
    loop.advanceTime(by: .seconds(2))
    #expect(notes.done.sorted() == (0..<1000).filter { $0 % 10 == 0 })
    // Calling off what is done does nothing.
    for number in 0..<1000 { notes.deadlines[number]?.cancel() }
    loop.advanceTime(by: .hours(1))
    #expect(notes.done.count == 100)
  }

  @Test func oneCanCallOffAnotherOfTheSameTimeAndSetMore() {
    let (loop, notes) = (loop, notes)
    notes.deadlines[1] = loop.deadline(in: .seconds(1)) {
      notes.done.append(1)
      notes.deadlines[2]?.cancel()
      notes.deadlines[3] = loop.deadline(in: .zero) { notes.done.append(3) }
    }
    set(2, in: .seconds(1))
    loop.advanceTime(by: .seconds(1))
    #expect(notes.done == [1])
    loop.advanceTime(by: .milliseconds(32))
    #expect(notes.done == [1, 3])
  }

  @Test func eventLoopsOfOneThreadDoNotDisturbEachOther() {
    let other = EmbeddedEventLoop()
    set(1, in: .seconds(1))
    notes.deadlines[2] = other.deadline(in: .seconds(1)) { [notes] in notes.done.append(2) }
    set(3, in: .seconds(1))
    set(4, in: .seconds(1))
    notes.deadlines[1]?.cancel()
    notes.deadlines[4]?.cancel()
    loop.advanceTime(by: .seconds(1))
    #expect(notes.done == [3])
    other.advanceTime(by: .seconds(1))
    #expect(notes.done == [3, 2])
  }

  @Test func whatIsCalledOffIsNotKept() {
    weak var kept: Notes?
    do {
      let other = Notes()
      kept = other
      loop.deadline(in: .hours(1)) { other.done.append(1) }.cancel()
    }
    #expect(kept == nil)
  }
}

/// The same on event loops with threads.
struct LoopDeadlinesOfThreadsTests {
  @Test func eachEventLoopHasItsOwn() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    let loops = Array(group.makeIterator())
    let (early, late) = (loops[0].makePromise(of: Void.self), loops[1].makePromise(of: Void.self))
    try await loops[0].submit { _ = loops[0].deadline(in: .milliseconds(50)) { early.succeed() } }.get()
    try await loops[1].submit { _ = loops[1].deadline(in: .milliseconds(50)) { late.succeed() } }.get()
    try await early.futureResult.and(late.futureResult).map { _ in }.get()
    try await group.shutdownGracefully()
  }
}
