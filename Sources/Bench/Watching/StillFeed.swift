import AsyncHTTPClient
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import Station

/// Pushes the stills again and again: to Quietcam, to the plain server, and to ffmpeg, and notes when.
final class StillFeed: Sendable {
  private let stills: [ByteBuffer]
  private let every: Ticks
  private let hub: StillHub
  private let timeline = NIOLockedValueBox(StillTimeline())

  init(stills: [ByteBuffer], every: Ticks, hub: StillHub) {
    (self.stills, self.every, self.hub) = (stills, every, hub)
  }

  /// What has happened so far.
  var noted: StillTimeline { timeline.withLockedValue { $0 } }

  /// Notes that the server sent the event of a new still.
  func noteAnnouncement() { timeline.withLockedValue { $0.announcements.append(.now) } }

  /// When a push is due after the first. No camera is exactly on time, and one that were would meet the server's slots
  /// and the viewers' requests always at the same phase. So each push is late by up to half the interval, one second at
  /// most, evenly spread.
  static func due(_ number: Int, every: Ticks) -> Ticks {
    let spread = min(every.count / 2, Ticks.perSecond)
    // The golden ratio's multiples fill the interval evenly.
    return every * Int64(number) + Ticks(Int64(number) * 618_034 % 1_000_000 * spread / 1_000_000)
  }

  /// Pushes until the task is cancelled.
  ///
  /// - Throws: `BenchFailure` if the server refuses a still.
  func push(toPort port: Int) async throws {
    let start = ContinuousClock.now
    var number = 0
    while true {
      let due = start + Self.due(number, every: every).duration
      try await Task.sleep(until: due, clock: .continuous)
      let still = number % stills.count
      let began = ContinuousClock.now
      hub.publish(stills[still], number: number)
      var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/ingest/\(ServerProcess.camera)")
      request.method = .POST
      request.headers.add(name: "Authorization", value: "Bearer \(ServerProcess.token)")
      request.body = .bytes(stills[still])
      let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
      let body = try await response.body.collect(upTo: 65_536)
      guard response.status == .accepted else {
        throw BenchFailure("the server refused still \(still): \(response.status.code) \(String(buffer: body))")
      }
      timeline.withLockedValue {
        $0.pushes.append(StillTimeline.Push(still: still, began: began, ended: .now, date: .now, late: began - due))
      }
      number += 1
    }
  }

  /// Gives ffmpeg the newest still at its own steady rate until the task is cancelled.
  func feed(_ program: SegmentingProgram) async throws {
    let step = Ticks(Ticks.perSecond / Int64(SegmentingProgram.rate))
    let start = ContinuousClock.now
    var count: Int64 = 0
    while true {
      try await Task.sleep(until: start + (step * count).duration, clock: .continuous)
      guard let current = hub.current else {
        try await Task.sleep(for: .milliseconds(20))
        continue
      }
      program.feed(current.jpeg)
      timeline.withLockedValue { $0.fed.append(current.number) }
      count += 1
    }
  }
}
