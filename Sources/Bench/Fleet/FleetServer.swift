import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// The server that the cameras of a fleet send to: a child of this program, or one that runs already.
struct FleetServer: Sendable {
  let viewers: FleetAddress
  let cameras: FleetAddress
  let operatorToken: String
  /// `nil` where it runs already.
  let process: ServerProcess?

  /// Whether the dates of its playlists are of this machine's clock.
  var isSameClock: Bool { process != nil || viewers.host == "localhost" || viewers.host.hasPrefix("127.") }

  /// Its processor time in seconds, and its memory in KiB: its own, or all of it where it runs already.
  func usage() async throws -> (seconds: Double, memoryKiB: Int) {
    if let process {
      let time = process.processorTime ?? .zero
      return (Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18, process.ownKiB ?? 0)
    }
    let text = String(buffer: try await ask(.GET, "/metrics"))
    func value(_ name: String) -> Double {
      text.split(separator: "\n").first { $0.hasPrefix("\(name) ") }
        .flatMap { Double($0.dropFirst(name.count + 1)) } ?? 0
    }
    return (value("process_cpu_seconds_total"), Int(value("process_resident_memory_bytes")) / 1024)
  }

  /// What it says of its cameras.
  func reading() async throws -> FleetReading {
    try JSONDecoder().decode(FleetReading.self, from: Data(try await ask(.GET, "/status").readableBytesView))
  }

  /// Adds cameras with these settings, YAML each.
  func add(_ cameras: [(name: String, settings: String)]) async throws {
    for camera in cameras { _ = try await ask(.PUT, "/cameras/\(camera.name)", body: camera.settings) }
  }

  /// Removes cameras that were added; what is not there is no mistake.
  func remove(_ names: [String]) async {
    for name in names { _ = try? await ask(.DELETE, "/cameras/\(name)") }
  }

  private func ask(_ method: HTTPMethod, _ path: String, body: String? = nil) async throws -> ByteBuffer {
    var request = HTTPClientRequest(url: "http://\(cameras)\(path)")
    request.method = method
    request.headers.add(name: "Authorization", value: "Bearer \(operatorToken)")
    if let body { request.body = .bytes(ByteBuffer(string: body)) }
    let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let body = try await answer.body.collect(upTo: 64 << 20)
    guard (200..<300).contains(answer.status.code) else {
      throw BenchFailure(
        "\(method) \(path) was answered with \(answer.status.code): \(String(buffer: body).prefix(200))")
    }
    return body
  }
}

/// A host and a port, as in an address by http://.
package struct FleetAddress: Hashable, Sendable, CustomStringConvertible {
  package let host: String
  package let port: Int

  package init(host: String, port: Int) { (self.host, self.port) = (host, port) }

  /// Those of an `http://` address; `nil` for others.
  package init?(url text: String) {
    guard let url = URL(string: text), url.scheme == "http", let host = url.host() else { return nil }
    self.init(host: host, port: url.port ?? 80)
  }

  /// As in a `Host` header.
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
