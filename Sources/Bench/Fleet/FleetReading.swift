import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// What the server says of its cameras at one moment, out of `/status`.
struct FleetReading: Sendable, Decodable {
  /// How far the server is stepped down.
  struct Load: Sendable, Decodable {
    let level: Int
    let lowest: Int
    let settings: String
  }

  private struct Camera: Sendable, Decodable {
    struct Stills: Sendable, Decodable {
      let taken: Int
      let shown: Int
      let displaced: Int
    }

    struct Parts: Sendable, Decodable {
      let count: Int
      let bytes: Int
    }

    let stills: Stills
    let parts: Parts
  }

  private let cameras: [Camera]
  /// `nil` where the server does not tell.
  let load: Load?

  /// Sums of all cameras.
  var taken: Int { cameras.reduce(0) { $0 + $1.stills.taken } }
  var shown: Int { cameras.reduce(0) { $0 + $1.stills.shown } }
  var parts: Int { cameras.reduce(0) { $0 + $1.parts.count } }
  var partBytes: Int { cameras.reduce(0) { $0 + $1.parts.bytes } }

  /// Asks the server.
  ///
  /// - Throws: `BenchFailure` where it answers something else.
  static func read(port: Int, token: String) async throws -> FleetReading {
    var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/status")
    request.headers.add(name: "Authorization", value: "Bearer \(token)")
    let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
    let body = try await answer.body.collect(upTo: 16 << 20)
    guard answer.status == .ok else {
      throw BenchFailure("/status was answered with \(answer.status.code): \(String(buffer: body).prefix(200))")
    }
    return try JSONDecoder().decode(FleetReading.self, from: Data(body.readableBytesView))
  }
}
