import Camera
import Demo
import Logging
import Media
import Picture
import ServiceLifecycle
import Settings
import Station

/// The camera that paints its own scene and pushes it to the same address as every other camera.
struct DemoCamera: Service {
  private let settings: CameraSettings
  private let token: String
  private let port: AsyncStream<Int>
  private let host: String
  private let isSecure: Bool

  /// - Parameter port: of the private listener, once it is open.
  init(settings: CameraSettings, token: String, port: AsyncStream<Int>, host: String, isSecure: Bool) {
    self.settings = settings
    self.token = token
    self.port = port
    self.host = host
    self.isSecure = isSecure
  }

  func run() async throws {
    try await cancelWhenGracefulShutdown {
      var ports = port.makeAsyncIterator()
      guard let port = await ports.next() else { return }
      // A listener on all addresses is reached at the loopback one.
      let reachable = ["0.0.0.0", "::"].contains(host) ? "127.0.0.1" : host
      let target = try PushTarget(
        url: "\(isSecure ? "https" : "http")://\(ListenAddress(host: reachable, port: port))/ingest/\(settings.name)",
        token: token,
        // It connects to its own process over loopback; the name in the certificate does not matter.
        trust: .anyone)
      let source = DemoSource(size: settings.picture.size, seed: 1)
      _ = try await Pusher(
        source: source, target: target, every: settings.interval, status: StatusLine(.silent)
      ).push()
    }
  }
}
