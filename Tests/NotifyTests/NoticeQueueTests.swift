import Foundation
import Media
import TestSupport
import Testing

@testable import Notify

@Suite struct NoticeQueueTests {
  private let wall = WallTime(milliseconds: 1_790_000_000_000)

  private func notice(_ event: Notice.Event, _ camera: String = "desk", count: Int64? = nil) -> Notice {
    var notice = Notice(event, at: wall, "\(camera) \(event.rawValue)", camera: .init(camera: camera, title: camera))
    notice.count = count
    return notice
  }

  private struct Body: Decodable {
    let event: String
    let number: Int64
    let dropped: Int
    let camera: String?
    let count: Int64?
  }

  private func body(_ attempt: NoticeQueue.Attempt?) throws -> Body {
    try JSONDecoder().decode(Body.self, from: Data(try #require(attempt).body))
  }

  /// The notice to send now, which there must be.
  private func next(_ queue: inout NoticeQueue, at now: Ticks) throws -> NoticeQueue.Attempt {
    let attempt = queue.next(at: now)
    return try #require(attempt)
  }

  /// Everything that waits, taken in order.
  private func drain(_ queue: inout NoticeQueue, at now: Ticks) throws -> [Body] {
    var bodies: [Body] = []
    while let attempt = queue.next(at: now) {
      bodies.append(try body(attempt))
      queue.finish(.taken, at: now, random: 0)
    }
    return bodies
  }

  @Test func noticesGoInOrderAndOneAtATime() throws {
    var queue = NoticeQueue(most: 10, name: "a")
    for event in [Notice.Event.cameraOff, .waves, .cameraBack] { queue.add(notice(event)) }
    let first = try next(&queue, at: .zero)
    #expect(first.id == "a-1" && first.tries == 1)
    #expect(queue.next(at: .seconds(1000)) == nil, "one is on its way")
    queue.finish(.taken, at: .zero, random: 0)
    let rest = try drain(&queue, at: .zero)
    #expect(rest.map(\.event) == ["waves", "camera-back"] && rest.map(\.number) == [2, 3])
    #expect(queue.count == 0 && queue.counters == .init(taken: 3, failures: 0, dropped: 0))
  }

  @Test func aFailureIsTriedAgainLaterAndLaterAsTheSameMessage() throws {
    var queue = NoticeQueue(most: 10, name: "a")
    queue.add(notice(.cameraOff))
    queue.add(notice(.cameraBack))
    var (now, waits, first) = (Ticks.zero, [Int64](), NoticeQueue.Attempt?.none)
    for tries in 1...12 {
      let attempt = try next(&queue, at: now)
      #expect(attempt.tries == tries && (first == nil || (attempt.id, attempt.body) == (first!.id, first!.body)))
      first = attempt
      let pause = queue.finish(.failed(after: nil), at: now, random: .max)
      let wait = try #require(pause)
      #expect(queue.next(at: now + wait - Ticks(1)) == nil && queue.isFailing)
      waits.append((wait.milliseconds + 999) / 1000)
      now = now + wait
    }
    #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300])
    _ = queue.next(at: now)
    queue.finish(.taken, at: now, random: 0)
    #expect(!queue.isFailing)
    let second = try next(&queue, at: now)
    #expect(second.tries == 1 && second.id == "a-2")
    #expect(queue.finish(.failed(after: nil), at: now, random: 0) == .milliseconds(500), "the waits begin anew")
  }

  @Test func aReceiverCanAskForTimeWithinLimits() {
    var queue = NoticeQueue(most: 10, name: "a")
    queue.add(notice(.cameraOff))
    _ = queue.next(at: .zero)
    #expect(queue.finish(.failed(after: .seconds(90)), at: .zero, random: 0) == .seconds(90))
    _ = queue.next(at: .seconds(90))
    #expect(queue.finish(.failed(after: .seconds(80_000)), at: .zero, random: 0) == .seconds(3600))
  }

  @Test func whatIsAlwaysRefusedIsGivenUpAndSaidNext() throws {
    var (queue, now) = (NoticeQueue(most: 10, name: "a"), Ticks.zero)
    queue.add(notice(.cameraOff))
    queue.add(notice(.cameraBack))
    for tries in 1...NoticeQueue.mostRefusals {
      let attempt = try next(&queue, at: now)
      #expect(attempt.tries == tries)
      now = now + (queue.finish(.refused, at: now, random: 0) ?? .zero)
    }
    let told = try body(queue.next(at: now))
    #expect(told.event == "camera-back" && told.dropped == 1)
  }

  @Test func withoutRoomTheNewestStateOfEverythingStays() throws {
    var queue = NoticeQueue(most: 6, name: "a")
    queue.add(notice(.storeTrouble))
    queue.add(notice(.cameraOff, "desk"))
    queue.add(notice(.cameraOff, "yard"))
    for _ in 0..<20 {
      queue.add(notice(.cameraBack, "desk"))
      queue.add(notice(.waves, "desk", count: 2))
      queue.add(notice(.cameraOff, "desk"))
    }
    #expect(queue.count == 6)
    let bodies = try drain(&queue, at: .zero)
    #expect(bodies.first?.event == "store-trouble" && bodies.first?.dropped == 57)
    #expect(bodies.contains { $0.event == "camera-off" && $0.camera == "yard" })
    #expect(bodies.last { $0.camera == "desk" && $0.event.hasPrefix("camera") }?.event == "camera-off")
    #expect(bodies.compactMap(\.count).reduce(0, +) == 40, "no wave is lost")
    #expect(bodies.map(\.number) == bodies.map(\.number).sorted())
    #expect(bodies.dropFirst().allSatisfy { $0.dropped == 0 })
  }

  @Test func whatIsOnItsWayStays() throws {
    var queue = NoticeQueue(most: 2, name: "a")
    queue.add(notice(.cameraOff))
    let first = try next(&queue, at: .zero)
    for _ in 0..<10 {
      queue.add(notice(.cameraBack))
      queue.add(notice(.cameraOff))
    }
    queue.finish(.failed(after: nil), at: .zero, random: 0)
    queue.add(notice(.cameraBack))
    let again = try next(&queue, at: .seconds(10))
    #expect(again.id == first.id && again.body == first.body)
    queue.finish(.taken, at: .seconds(10), random: 0)
    let rest = try drain(&queue, at: .seconds(10))
    #expect(rest.map(\.event) == ["camera-back"] && rest.first?.dropped == 20)
  }

  /// Whatever comes and however a receiver behaves: the order holds, nothing is told twice, and what is missing is said.
  @Test(arguments: 0..<20) func whatArrivesAndWhatIsDroppedIsEverything(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    var (queue, now, added, arrived, told) = (NoticeQueue(most: 5, name: "a"), Ticks.zero, 0, [Int64](), 0)
    let events = Notice.Event.allCases
    for _ in 0..<2000 {
      now = now + .milliseconds(Int64.random(in: 0...2000, using: &generator))
      if Int.random(in: 0..<3, using: &generator) > 0 {
        queue.add(
          notice(events.randomElement(using: &generator) ?? .test, ["a", "b"].randomElement(using: &generator) ?? ""))
        added += 1
      }
      guard let attempt = queue.next(at: now) else { continue }
      let outcome: NoticeQueue.Outcome =
        [.taken, .failed(after: nil), .failed(after: .seconds(3)), .refused].randomElement(using: &generator) ?? .taken
      if outcome == .taken {
        let body = try body(attempt)
        arrived.append(body.number)
        told += body.dropped
      }
      queue.finish(outcome, at: now, random: .random(in: 0...UInt32.max, using: &generator))
    }
    for _ in 0..<2 {
      for body in try drain(&queue, at: now + .seconds(10_000)) {
        arrived.append(body.number)
        told += body.dropped
      }
      // The last one may have been given up, which the next one tells of.
      queue.add(notice(.test))
      added += 1
    }
    arrived += try drain(&queue, at: now + .seconds(10_000)).map(\.number)
    #expect(arrived == arrived.sorted() && Set(arrived).count == arrived.count)
    #expect(arrived.count + Int(queue.counters.dropped) == added)
    #expect(Int(queue.counters.dropped) == told)
  }
}
