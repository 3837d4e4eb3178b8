import AsyncHTTPClient
import Foundation
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1

/// A camera with a timer that is a little unsteady: pushes stills, and remembers when.
package final class VeilCamera: Sendable {
  private let url: String
  private let token: String
  private let stills: [ByteBuffer]
  private let every: Ticks
  private let jitter: Ticks
  private let seed: UInt64
  private let clock: VeilObserver.Clock
  private let times = NIOLockedValueBox<[Int64]>([])

  /// A camera that pushes to an ingest address.
  ///
  /// - Parameters:
  ///   - stills: at least one; drawn at random, so that no order comes again.
  ///   - jitter: how much later than due each still may come.
  package init(
    url: String, token: String, stills: [ByteBuffer], every: Ticks, jitter: Ticks, seed: UInt64,
    clock: VeilObserver.Clock
  ) {
    (self.url, self.token, self.stills) = (url, token, stills)
    (self.every, self.jitter, self.seed, self.clock) = (every, jitter, seed, clock)
  }

  /// When stills were sent, in microseconds.
  package var sent: [Int64] { times.withLockedValue { $0 } }

  /// Pushes until it is cancelled.
  ///
  /// - Throws: `BenchFailure` if the server refuses a still.
  package func run() async throws {
    var numbers = SeededNumbers(seed: seed)
    let start = ContinuousClock.now
    for index in 0... {
      let late = Ticks(Int64.random(in: 0...max(0, jitter.count), using: &numbers))
      try await Task.sleep(until: start + (every * Int64(index) + late).duration, clock: .continuous)
      guard let still = stills.randomElement(using: &numbers) else { throw BenchFailure("there are no stills") }
      var request = HTTPClientRequest(url: url)
      request.method = .POST
      request.headers.add(name: "Authorization", value: "Bearer \(token)")
      request.body = .bytes(still)
      let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
      let now = clock.now
      _ = try await answer.body.collect(upTo: 1 << 16)
      guard answer.status == .accepted else { throw BenchFailure("\(url) answers a still with \(answer.status.code)") }
      times.withLockedValue { $0.append(now) }
    }
  }
}
