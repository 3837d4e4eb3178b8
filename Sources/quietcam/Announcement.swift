import Access
import Logging
import Media
import NIOConcurrencyHelpers
import Origin
import Settings
import Station

/// Logs the addresses once both listeners are open, and tells the demo camera its port.
final class Announcement: Sendable {
  private let settings: ServeSettings
  private let operatorToken: OperatorToken
  private let logger: Logger
  private let ports = NIOLockedValueBox<(publicPort: Int?, privatePort: Int?)>((nil, nil))
  /// The port of the private listener, once it is open.
  let privatePort: AsyncStream<Int>
  private let privatePortOpened: AsyncStream<Int>.Continuation

  init(settings: ServeSettings, operatorToken: OperatorToken, logger: Logger) {
    self.settings = settings
    self.operatorToken = operatorToken
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
    let isSampled = settings.doors.contains { $0.key.text == ServeSettings.demoName && $0.value.access == .open }
    if settings.isDemo, isSampled {
      logger.notice("sample:   \(settings.publicCertificate == nil ? "http" : "https")://\(viewers)/sample/")
    }
    logger.notice("viewers:  \(settings.publicCertificate == nil ? "http" : "https")://\(viewers)/")
    logger.notice("operator: \(settings.privateCertificate == nil ? "http" : "https")://\(stills)/")
    for camera in settings.cameras {
      logger.notice(
        "stills:   \(settings.privateCertificate == nil ? "http" : "https")://\(stills)/ingest/\(camera.name)")
    }
    operatorToken.announce(logger: logger)
  }
}
