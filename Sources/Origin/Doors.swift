import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Station

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
  public static func publicDoor(
    host: String, port: Int, mostConnections: Int, cameras: [Camera], web: WebAssets, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) -> any Service {
    application(
      PublicDoor(cameras: cameras, web: web), mostConnections: mostConnections,
      handlers: { [HangUpHandler()] + common() }, host: host, port: port, logger: logger,
      onListening)
  }

  /// The private listener: cameras and operators.
  ///
  /// - Parameters:
  ///   - reports: pages for operators by path.
  ///   - onListening: told the port when the listener is open.
  public static func privateDoor(
    host: String, port: Int, cameras: [Camera], operatorToken: String?,
    reports: [String: OperatorReport], logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) -> any Service {
    application(
      PrivateDoor(cameras: cameras, operatorToken: operatorToken, reports: reports),
      mostConnections: nil, handlers: common, host: host, port: port, logger: logger, onListening)
  }

  private static func common() -> [any RemovableChannelHandler] {
    [ConnectionRulesInstaller(), SlowReaderHandler(), LingeringCloseHandler()]
  }

  private static func application(
    _ responder: some HTTPResponder<DoorContext>, mostConnections: Int?,
    handlers: @escaping @Sendable () -> [any RemovableChannelHandler], host: String, port: Int, logger: Logger,
    _ onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) -> any Service {
    // Hummingbird tells of its own comings and goings; operators want to hear of ours.
    var logger = logger
    if logger.logLevel == .info { logger.logLevel = .notice }
    return Application(
      responder: responder,
      server: .http1(
        configuration: .init(additionalChannelHandlers: handlers(), idleTimeout: idleTimeout)),
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), backlog: 1024,
        availableConnectionsDelegate: mostConnections.map { MaximumAvailableConnections($0) }),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) },
      logger: logger)
  }
}
