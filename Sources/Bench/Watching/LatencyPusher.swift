import AsyncHTTPClient
import Foundation
import Media
import NIOCore
import NIOHTTP1
import Picture

/// Pushes stills that carry the time of their push, up to half a second early or late at random. So they meet the
/// stream's slots at all phases, as any camera's stills do over hours.
package struct LatencyPusher: Sendable {
  /// Where to push, with the camera's token; `nil` pushes nowhere.
  package typealias Ingest = (url: String, token: String)

  private let url: String
  private let token: String
  private let every: Duration
  private let size: PictureSize
  private let onStill: @Sendable (ByteBuffer) -> Void

  /// A pusher to an ingest address.
  ///
  /// - Parameter onStill: gets each still at the moment it is pushed.
  package init(
    url: String, token: String, every: Ticks, size: PictureSize,
    onStill: @escaping @Sendable (ByteBuffer) -> Void = { _ in }
  ) {
    self.url = url
    self.token = token
    self.every = every.duration
    self.size = size
    self.onStill = onStill
  }

  /// Pushes until it is cancelled.
  ///
  /// - Throws: if the server refuses a still, with its message.
  package func run() async throws {
    let start = ContinuousClock.now
    for index in 0... {
      let jitter = Duration.milliseconds(Int.random(in: -500...500))
      try await Task.sleep(until: start + every * index + .milliseconds(500) + jitter, clock: .continuous)
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
    }
  }
}

/// Why latency cannot be measured, as one sentence.
package struct LatencyError: Error, CustomStringConvertible {
  /// The sentence.
  package let description: String

  init(_ description: String) { self.description = description }
}
