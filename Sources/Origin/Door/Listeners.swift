import Access
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import Media
import NIOCore
import NIOHTTP1
import Records
import ServiceLifecycle
import Station

/// Where a listener listens, and how.
package struct ListenerAddress: Sendable {
  /// Host names or IP addresses; all have the same port.
  package let hosts: [String]
  /// The TCP port; 0 takes any that is free.
  package let port: Int
  /// The listener's certificate. With one it speaks TLS and HTTP/2 too, without one plain HTTP/1.1.
  package let certificate: CertificateKeeper?
  /// Sockets that listen there already.
  let sockets: [InheritedSocket]

  /// An address to listen on.
  ///
  /// - Parameter sockets: those that listen there already; without any they are opened.
  package init(hosts: [String], port: Int, certificate: CertificateKeeper?, sockets: [InheritedSocket] = []) {
    self.hosts = hosts
    self.port = port
    self.certificate = certificate
    self.sockets = sockets
  }
}

/// Makes the two listeners.
package enum Listeners {
  /// How long a connection can be open without a request.
  private static let idleTimeout = TimeAmount.seconds(60)
  /// The most time for the header of a request or a TLS handshake.
  private static let headerTime = TimeAmount.seconds(15)
  /// More than any player and any camera needs.
  private static let headers = HTTP1Channel.Configuration.DecoderConfiguration(
    maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 64)
  /// How many connections over the limit can get an answer at the same time; the next ones wait in the system's queue.
  private static let turnedAway = 128

  /// The public listener: viewers.
  ///
  /// - Parameters:
  ///   - doors: the answers.
  ///   - patience: how long a client can send nothing in the middle of a request, or read nothing of an answer.
  ///   - onListening: gets the port when the listener is open.
  /// - Throws: if the certificate cannot be used.
  package static func publicDoor(
    at address: ListenerAddress, doors: Doors, patience: Duration, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) throws -> any Service {
    let patience = TimeAmount(patience)
    let answer = answer(
      doors.publicResponder, isSecure: address.certificate != nil, times: doors.limits.answersAtPublic,
      logger: quiet(logger))
    func http1(idle: TimeAmount?) -> HTTP1Channel.Configuration {
      HTTP1Channel.Configuration(
        additionalChannelHandlers: [HangUpHandler()]
          + common(patience, doors.limits.unreadableAtPublic, "public", logger),
        idleTimeout: idle, httpDecoderConfiguration: headers)
    }
    let rules = QuickHandler.Rules(idle: max(idleTimeout, patience), patience: patience)
    // The quick handler knows of all requests of a connection and closes idle ones.
    let plain = HTTP1Channel(responder: answer, configuration: http1(idle: nil))
    guard let tls = address.certificate?.configuration() else {
      return listener(
        DoorChannel(doors: doors, rules: rules, http1: plain), at: address, connections: doors.limits.viewers,
        patience: patience, logger: logger, onListening)
    }
    return listener(
      try DoorChannel(
        doors: doors, rules: rules, http1: plain,
        stream: HTTP1Channel(responder: answer, configuration: http1(idle: rules.idle)), tls: tls),
      at: address, connections: doors.limits.viewers, patience: patience, logger: logger, onListening)
  }

  /// The private listener: cameras and operators.
  ///
  /// - Parameters:
  ///   - doors: the answers.
  ///   - patience: how long a client can send nothing in the middle of a request, or read nothing of an answer.
  ///   - onListening: gets the port when the listener is open.
  /// - Throws: if the certificate cannot be used.
  package static func privateDoor(
    at address: ListenerAddress, doors: Doors, patience: Duration, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) throws -> any Service {
    let patience = TimeAmount(patience)
    let answer = answer(
      doors.privateResponder, isSecure: address.certificate != nil, times: doors.limits.answersAtPrivate,
      logger: quiet(logger))
    let http1 = HTTP1Channel.Configuration(
      additionalChannelHandlers: [WrongLengthHandler()]
        + common(patience, doors.limits.unreadableAtPrivate, "private", logger),
      idleTimeout: max(idleTimeout, patience), httpDecoderConfiguration: headers)
    guard let tls = address.certificate?.configuration() else {
      return listener(
        HTTP1Channel(responder: answer, configuration: http1), at: address, connections: doors.limits.cameras,
        makesRoom: true, patience: patience, logger: logger, onListening)
    }
    let idle = Duration.nanoseconds(idleTimeout.nanoseconds)
    return listener(
      try HTTP2UpgradeChannel(
        tlsConfiguration: tls, configuration: .init(idleTimeout: idle, streamConfiguration: http1), responder: answer),
      at: address, connections: doors.limits.cameras, makesRoom: true, patience: patience, logger: logger, onListening)
  }

  private static func common(
    _ patience: TimeAmount, _ unreadable: UnreadableRequests, _ door: String, _ logger: Logger
  ) -> [any RemovableChannelHandler] {
    let rules = ConnectionRulesInstaller(headerTime: min(headerTime, patience), logger: logger) { fault, channel in
      tell(fault, of: channel, unreadable, door, logger)
    }
    return [
      rules, SlowReaderHandler(patience), AnswerEndHandler(patience), SlowSenderHandler(patience),
      LingeringCloseHandler(),
    ]
  }

  /// Counts a request that cannot be read, and has a line in the log for it unless there are too many.
  private static func tell(
    _ fault: HeadFault, of channel: any Channel, _ unreadable: UnreadableRequests, _ door: String, _ logger: Logger
  ) {
    guard let untold = unreadable.add(now: Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000)) else { return }
    let before = untold == 0 ? "" : " (and \(untold) more before it)"
    var metadata: Logger.Metadata = ["door": "\(door)"]
    // Where viewers come from is nobody's business, until an operator asks for it.
    if door == "private" || logger.logLevel <= .debug {
      metadata["from"] = "\(ClientAddress(channel.remoteAddress).key)"
    }
    logger.warning("a request cannot be read\(before): \(fault.detail)", metadata: metadata)
  }

  private static func listener(
    _ base: some ServerChildChannel, at address: ListenerAddress, connections: Connections, makesRoom: Bool = false,
    patience: TimeAmount, logger: Logger, _ onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) -> any Service {
    Listener(
      connection: ConnectionGate(
        base: base, connections: connections, makesRoom: makesRoom,
        tls: address.certificate == nil ? nil : TLSRules(handshakeTime: min(headerTime, patience), patience: patience)),
      address: address, limit: connections.limits.total + turnedAway, logger: quiet(logger), onListening: onListening)
  }

  /// Hummingbird logs its own starts and ends; operators need ours.
  private static func quiet(_ logger: Logger) -> Logger {
    var logger = logger
    if logger.logLevel == .info { logger.logLevel = .notice }
    return logger
  }

  /// The answer to each request: the responder's, with the date (RFC 9110, section 6.6.1).
  private static func answer(
    _ responder: some HTTPResponder<DoorContext>, isSecure: Bool, times: AnswerTimes, logger: Logger
  ) -> HTTPChannelHandler.Responder {
    { request, writer, channel in
      let began = ContinuousClock.now
      var response: Response
      do {
        response = try await responder.respond(to: request, context: DoorContext(channel: channel, isSecure: isSecure))
      } catch let error as HTTPParserError {
        throw error
      } catch {
        logger.error("a request could not be answered: \(error)", metadata: ["path": "\(request.uri.path)"])
        response = Response(status: .internalServerError)
      }
      response.headers[.date] = HTTPDate.now()
      times.add(
        AnswerTimes.Kind(target: request.head.path ?? "/"), status: response.status.code, after: .now - began)
      do {
        try await writer.write(response: response.head, body: response.body)
      } catch is HTTPParserError {
        // As a parser's error it would be answered again.
        throw BrokenRequest()
      }
    }
  }

  private struct BrokenRequest: Error {}
}
