import AsyncHTTPClient
import Foundation
import Media
import NIOCore
import NIOHTTP1

/// The operator's side of an attack on the veil: orders veils, and knows what is shown.
package struct VeilOperator: Sendable {
  private struct Status: Decodable {
    struct Camera: Decodable {
      let camera: String
      let source: String
    }

    let cameras: [Camera]
  }

  private let address: String
  private let camera: String
  private let token: String

  /// The operator of a camera at a private address such as `http://127.0.0.1:8081`.
  package init(address: String, camera: String, token: String) {
    self.address = address.hasSuffix("/") ? String(address.dropLast()) : address
    self.camera = camera
    self.token = token
  }

  /// What is shown now: `live`, `veiled`, `off`, `paused`.
  ///
  /// - Throws: `BenchFailure` where the private address does not tell.
  package func source() async throws -> String {
    let body = try await ask(.GET, "/status")
    guard let status = try? JSONDecoder().decode(Status.self, from: Data(body.readableBytesView)),
      let found = status.cameras.first(where: { $0.camera == camera })
    else {
      throw BenchFailure("\(address)/status knows no camera \(camera); check --operator and the camera's address")
    }
    return found.source
  }

  /// Starts or ends the veil, and waits until it is so.
  ///
  /// - Throws: `BenchFailure` where it is not within `patience`.
  package func show(veiled: Bool, patience: Duration) async throws {
    _ = try await ask(.POST, "/cameras/\(camera)/\(veiled ? "veil" : "unveil")")
    let deadline = ContinuousClock.now + patience
    var shown = ""
    while ContinuousClock.now < deadline {
      shown = try await source()
      if shown == (veiled ? "veiled" : "live") { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw BenchFailure(
      "the camera shows \(shown) and not \(veiled ? "the veil" : "live pictures") within \(patience); it must be on, "
        + "and have a loop (`quietcam loop --record`)")
  }

  /// Ends the veil, as far as the private address can be reached, also where this task was cancelled.
  func unveil() async {
    await Task { _ = try? await ask(.POST, "/cameras/\(camera)/unveil") }.value
  }

  private func ask(_ method: HTTPMethod, _ path: String) async throws -> ByteBuffer {
    var request = HTTPClientRequest(url: address + path)
    request.method = method
    request.headers.add(name: "Authorization", value: "Bearer \(token)")
    let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(20))
    let body = try await answer.body.collect(upTo: 1 << 22)
    guard (200...202).contains(answer.status.code) else {
      let words = String(buffer: body).prefix(200)
      throw BenchFailure("\(address)\(path) answers \(answer.status.code): \(words); check --operator-token")
    }
    return body
  }
}
