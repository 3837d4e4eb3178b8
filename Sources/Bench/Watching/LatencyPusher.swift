import AsyncHTTPClient
import Camera
import Foundation
import Media
import NIOCore
import NIOHTTP1
import Picture

/// Pushes stills that carry the time of their push.
package struct LatencyPusher: Sendable {
  /// Where to push, with the camera's token; `nil` pushes nowhere.
  package typealias Ingest = (url: String, token: String)

  /// When the next still is pushed.
  package enum Timing: String, CaseIterable, Sendable {
    /// Up to half an interval early or late at random: so stills meet the stream's slots at all phases, as those of any
    /// camera do over hours.
    case random
    /// After exactly the interval, from some moment on.
    case steady
    /// When the answer to the last one advised it.
    case listening
  }

  private let url: String
  private let token: String
  private let every: Duration
  private let timing: Timing
  private let size: PictureSize
  private let onStill: @Sendable (ByteBuffer) -> Void

  /// A pusher to an ingest address.
  ///
  /// - Parameter onStill: gets each still at the moment it is pushed.
  package init(
    url: String, token: String, every: Ticks, timing: Timing = .random, size: PictureSize,
    onStill: @escaping @Sendable (ByteBuffer) -> Void = { _ in }
  ) {
    self.url = url
    self.token = token
    self.every = every.duration
    self.timing = timing
    self.size = size
    self.onStill = onStill
  }

  /// Pushes until it is cancelled.
  ///
  /// - Throws: if the server refuses a still, with its message.
  package func run() async throws {
    let start = ContinuousClock.now + random(from: .zero)
    var next = start
    for index in 1... {
      try await Task.sleep(until: next, clock: .continuous)
      let advised = try await push()
      switch timing {
      case .random: next = start + every * index + random(from: Ticks(-Ticks(every).count / 2))
      case .steady: next = start + every * index
      case .listening: next = max(.now, next + (advised ?? every))
      }
    }
  }

  /// A random time from `least` to an interval later.
  private func random(from least: Ticks) -> Duration {
    (least + Ticks(Int64.random(in: 0..<max(1, Ticks(every).count)))).duration
  }

  /// Pushes a still.
  ///
  /// - Returns: how long after it the next one should be sent, if the answer says so.
  private func push() async throws -> Duration? {
    var encoder = JPEGEncoder(quality: 50)
    let jpeg = try encoder.encode(try TimePattern.paint(LatencyBoard.now(), size: size))
    onStill(jpeg)
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers.add(name: "Authorization", value: "Bearer \(token)")
    request.body = .bytes(jpeg)
    let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
    let body = try await answer.body.collect(upTo: 1 << 16)
    guard answer.status == .accepted else {
      throw LatencyError("\(url) answers a still with \(answer.status.code): \(String(buffer: body))")
    }
    guard case .taken(let interval) = PushAnswer(status: Int(answer.status.code), retryAfter: nil, body: body) else {
      return nil
    }
    return interval?.duration
  }
}

/// Why latency cannot be measured, as one sentence.
package struct LatencyError: Error, CustomStringConvertible {
  /// The sentence.
  package let description: String

  init(_ description: String) { self.description = description }
}
