import Logging
import NIOConcurrencyHelpers
import Settings
import Station

/// Tells the operator where to look, once both listeners are open, and the demo camera where to push.
final class Announcement: Sendable {
  private let settings: ServeSettings
  private let logger: Logger
  private let ports = NIOLockedValueBox<(publicPort: Int?, privatePort: Int?)>((nil, nil))
  /// The port of the private listener, once it is open.
  let privatePort: AsyncStream<Int>
  private let privatePortOpened: AsyncStream<Int>.Continuation

  init(settings: ServeSettings, logger: Logger) {
    self.settings = settings
    self.logger = logger
    (privatePort, privatePortOpened) = AsyncStream.makeStream(of: Int.self, bufferingPolicy: .bufferingNewest(1))
  }

  func publicIsOpen(port: Int) {
    ports.withLockedValue { $0.publicPort = port }
    announceWhenComplete()
  }

  func privateIsOpen(port: Int) {
    ports.withLockedValue { $0.privatePort = port }
    privatePortOpened.yield(port)
    privatePortOpened.finish()
    announceWhenComplete()
  }

  private func announceWhenComplete() {
    guard case (let publicPort?, let privatePort?) = ports.withLockedValue({ $0 }) else { return }
    var viewers = settings.publicAddress
    viewers.port = publicPort
    var stills = settings.privateAddress
    stills.port = privatePort
    logger.notice("viewers:  \(settings.publicCertificate == nil ? "http" : "https")://\(viewers)/")
    for camera in settings.cameras {
      logger.notice(
        "stills:   \(settings.privateCertificate == nil ? "http" : "https")://\(stills)/ingest/\(camera.name)")
    }
  }
}
