import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import NIOCore
import ServiceLifecycle
import Station

/// Where a door listens and how.
public struct DoorAddress: Sendable {
  /// A host name or IP address.
  public let host: String
  /// The TCP port; 0 takes any that is free.
  public let port: Int
  /// The door's certificate; with one it speaks TLS and HTTP/2 too, without one plain HTTP/1.1.
  public let certificate: CertificateKeeper?

  /// A place to listen at.
  public init(host: String, port: Int, certificate: CertificateKeeper?) {
    self.host = host
    self.port = port
    self.certificate = certificate
  }
}

/// Makes the two listeners.
public enum Doors {
  /// How long a connection may be silent while a request is awaited or read. Cameras on bad radio trickle, so the
  /// time runs from read to read and not over a whole body.
  private static let idleTimeout = TimeAmount.seconds(60)

  /// The public listener: viewers.
  ///
  /// - Parameters:
  ///   - mostConnections: how many viewers may be connected; the next ones wait in the system's queue.
  ///   - onListening: told the port when the listener is open.
  /// - Throws: when the certificate makes no TLS.
  public static func publicDoor(
    at address: DoorAddress, mostConnections: Int, cameras: [Camera], web: WebAssets, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) throws -> any Service {
    try application(
      PublicDoor(cameras: cameras, web: web), at: address, mostConnections: mostConnections,
      handlers: { [HangUpHandler()] + common() }, logger: logger, onListening)
  }

  /// The private listener: cameras and operators.
  ///
  /// - Parameters:
  ///   - reports: pages for operators by path.
  ///   - onListening: told the port when the listener is open.
  /// - Throws: when the certificate makes no TLS.
  public static func privateDoor(
    at address: DoorAddress, cameras: [Camera], operatorToken: String?, reports: [String: OperatorReport],
    logger: Logger, onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) throws -> any Service {
    try application(
      PrivateDoor(cameras: cameras, operatorToken: operatorToken, reports: reports), at: address,
      mostConnections: nil, handlers: { [WrongLengthHandler()] + common() }, logger: logger, onListening)
  }

  private static func common() -> [any RemovableChannelHandler] {
    [ConnectionRulesInstaller(), SlowReaderHandler(), LingeringCloseHandler()]
  }

  private static func application(
    _ responder: some HTTPResponder<DoorContext>, at address: DoorAddress, mostConnections: Int?,
    handlers: @escaping @Sendable () -> [any RemovableChannelHandler], logger: Logger,
    _ onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) throws -> any Service {
    // Hummingbird tells of its own comings and goings; operators want to hear of ours.
    var logger = logger
    if logger.logLevel == .info { logger.logLevel = .notice }
    let http1 = HTTP1Channel.Configuration(additionalChannelHandlers: handlers(), idleTimeout: idleTimeout)
    let server: HTTPServerBuilder =
      if let certificate = address.certificate {
        try .http2Upgrade(
          tlsConfiguration: certificate.configuration(),
          configuration: .init(idleTimeout: .nanoseconds(idleTimeout.nanoseconds), streamConfiguration: http1))
      } else {
        .http1(configuration: http1)
      }
    return Application(
      responder: responder, server: server,
      configuration: ApplicationConfiguration(
        address: .hostname(address.host, port: address.port), backlog: 1024,
        availableConnectionsDelegate: mostConnections.map { MaximumAvailableConnections($0) }),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? address.port) },
      logger: logger)
  }
}
