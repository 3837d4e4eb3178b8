import Foundation
import Media
import NIOCore
import NIOPosix

/// Many viewers of one stream at once: what the server carries, and how long after the first one the last one has each
/// part. The viewers are connections of this process.
package struct ViewersBench: Sendable {
  /// How they watch.
  package struct Options: Sendable {
    package var way = CrowdWay.lowLatency
    /// How many there are.
    package var count = 500
    /// For how long all of them watch.
    package var length = Duration.seconds(60)
    /// For how long a viewer stays in the mean, until another one comes in its place; `nil` for all the time.
    package var stay: Ticks?
    /// A PEM file with the certificate that the server's is checked against; `nil` for the system's.
    package var trust: String?

    /// Five hundred low-latency viewers for a minute.
    package init() {}
  }

  /// Local addresses, each for so many viewers: a server limits the connections of an address, and an address has only
  /// so many ports.
  private static let viewersPerAddress = 60
  /// Nobody leaves so soon after the start or so short before the end, so that all who come have time to get something.
  private static let settling = Duration.seconds(2)

  private let url: URL
  private let options: Options

  /// A bench of the stream at a media or multivariant playlist's address.
  package init(url: URL, options: Options) {
    (self.url, self.options) = (url, options)
  }

  /// How far it is.
  package struct Progress: Sendable {
    /// Viewers with a connection.
    package let connected: Int
    /// Since all are connected; `nil` before.
    package let elapsed: Duration?
    /// What went wrong so far.
    package let mistakes: Int
  }

  /// Connects all viewers, watches, and ends.
  ///
  /// - Parameters:
  ///   - server: the server, if it is a child of this program: its processor time and memory are read.
  ///   - onProgress: called about once a second.
  /// - Throws: `BenchFailure` if there is no stream at the address.
  package func run(server: ServerProcess? = nil, onProgress: (Progress) -> Void) async throws -> CrowdResult {
    let target = try await CrowdTarget(url, trust: options.trust)
    let boxes = Array(MultiThreadedEventLoopGroup.singleton.makeIterator()).map {
      NIOLoopBoundBox.makeBoxSendingValue(CrowdTally(), eventLoop: $0)
    }
    let seats = try (0..<options.count).map { number in
      let tally = boxes[number % boxes.count]
      return NIOLoopBoundBox.makeBoxSendingValue(
        CrowdSeat(options.way, target: target, source: try Self.source(number, for: target), tally: tally),
        eventLoop: tally.eventLoop)
    }
    let result: CrowdResult
    do {
      let refused = try await fill(seats, onProgress: onProgress)
      result = try await watch(seats, boxes, server, refused: refused, onProgress: onProgress)
    } catch {
      await empty(seats)
      throw error
    }
    await empty(seats)
    return result
  }

  /// Has a viewer come to each place, within a tenth of the time, so that joining does not measure itself.
  ///
  /// - Returns: how many connections were refused.
  private func fill(_ seats: [NIOLoopBoundBox<CrowdSeat>], onProgress: (Progress) -> Void) async throws -> Int {
    let began = ContinuousClock.now
    let pause = (options.length / 10) / max(1, seats.count)
    var refused = 0
    for (number, seat) in seats.enumerated() {
      do {
        try await seat.eventLoop.flatSubmit { seat.value.sit() }.get()
      } catch {
        refused += 1
        if refused > 100 { break }
      }
      if number % 64 == 0 {
        onProgress(Progress(connected: number + 1 - refused, elapsed: nil, mistakes: refused))
        try await Task.sleep(until: began + pause * number, clock: .continuous)
      }
    }
    return refused
  }

  private func watch(
    _ seats: [NIOLoopBoundBox<CrowdSeat>], _ boxes: [NIOLoopBoundBox<CrowdTally>], _ server: ServerProcess?,
    refused: Int, onProgress: (Progress) -> Void
  ) async throws -> CrowdResult {
    let start = ContinuousClock.now
    let before = try await tally(of: boxes)
    var turnover = options.stay.map { CrowdTurnover(count: seats.count, stay: $0) }
    var load = CrowdLoad(server: server)
    var limits = CrowdLimits()
    var looked = start
    while case let elapsed = ContinuousClock.now - start, elapsed < options.length {
      try await Task.sleep(for: turnover == nil ? .seconds(1) : .milliseconds(100))
      if elapsed >= Self.settling, elapsed + Self.settling < options.length {
        for place in turnover?.leaving(at: Ticks(elapsed - Self.settling)) ?? [] {
          let seat = seats[place]
          seat.eventLoop.execute { seat.value.change() }
        }
      }
      guard ContinuousClock.now - looked >= .milliseconds(990) else { continue }
      looked = .now
      let now = try await tally(of: boxes)
      limits.note(now, refusedConnections: refused, load: load.look(), after: looked - start)
      onProgress(
        Progress(
          connected: now.connected / (options.way == .photos ? 2 : 1), elapsed: looked - start,
          mistakes: now.mistakes.values.reduce(0, +) + refused))
    }
    let after = try await tally(of: boxes)
    // The time since the last look can be too short to say what was used of the processors.
    limits.note(after, refusedConnections: refused, load: nil, after: ContinuousClock.now - start)
    return CrowdResult(
      options, before: before, after: after, refusedConnections: refused, elapsed: ContinuousClock.now - start,
      load: load, limits: limits)
  }

  private func empty(_ seats: [NIOLoopBoundBox<CrowdSeat>]) async {
    for seat in seats { try? await seat.eventLoop.submit { seat.value.close() }.get() }
  }

  /// The address that a viewer's connections come from; `nil` where the server is on another machine.
  private static func source(_ number: Int, for target: CrowdTarget) throws -> SocketAddress? {
    guard target.address.ipAddress?.hasPrefix("127.") == true else { return nil }
    let place = 1 + number / viewersPerAddress
    return try SocketAddress(ipAddress: "127.0.\(place / 250).\(1 + place % 250)", port: 0)
  }

  private func tally(of boxes: [NIOLoopBoundBox<CrowdTally>]) async throws -> CrowdTally {
    var sum = CrowdTally()
    for box in boxes { sum.add(try await box.eventLoop.submit { box.value }.get()) }
    return sum
  }
}
