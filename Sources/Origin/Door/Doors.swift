import Access
import Hummingbird
import Logging
import NIOConcurrencyHelpers
import Records

/// The answers of both listeners, which a reload replaces while they are open: no connection and no request ends for
/// it.
///
/// One writer replaces them; each request reads them once, when it comes.
package final class Doors: Sendable {
  private struct Current: Sendable {
    var publicDoor: PublicDoor
    var quickDoor: QuickDoor
    var privateDoor: PrivateDoor
    var authorizer: IngestAuthorizer
  }

  private let current: NIOLockedValueBox<Current>
  let limits: AccessLimits
  private let isSecure: Bool
  private let records: Records
  private let desk: OperatorDesk
  private let configurator: (any Configurator)?
  private let logger: Logger

  /// The answers in this state.
  ///
  /// - Parameters:
  ///   - isSecure: whether viewers come by TLS.
  ///   - records: where visits and bytes are counted.
  ///   - desk: answers what the operator's page asks for.
  ///   - configurator: changes the configuration; without one nobody can.
  package init(
    _ state: DoorState, limits: AccessLimits, isSecure: Bool, records: Records, desk: OperatorDesk,
    configurator: (any Configurator)?, logger: Logger
  ) {
    self.limits = limits
    self.isSecure = isSecure
    (self.records, self.desk) = (records, desk)
    self.configurator = configurator
    self.logger = logger
    current = NIOLockedValueBox(
      Self.current(
        state, nil, limits: limits, isSecure: isSecure, records: records, desk: desk, configurator: configurator,
        logger: logger))
  }

  /// Answers from another state from now on. Stills of a camera that is gone, or has another token, are taken no longer,
  /// not even within a request that has begun.
  package func replace(with state: DoorState) {
    let before = current.withLockedValue { $0.authorizer }
    let new = Self.current(
      state, before, limits: limits, isSecure: isSecure, records: records, desk: desk, configurator: configurator,
      logger: logger)
    current.withLockedValue { $0 = new }
    before.endStreams(unlessAllowedBy: new.authorizer)
  }

  private static func current(
    _ state: DoorState, _ before: IngestAuthorizer?, limits: AccessLimits, isSecure: Bool, records: Records,
    desk: OperatorDesk, configurator: (any Configurator)?, logger: Logger
  ) -> Current {
    var authorizer = IngestAuthorizer(
      doors: state.doors, operatorToken: state.operatorToken, limits: limits, logger: logger, goingOnFrom: before)
    authorizer.desk = desk
    return Current(
      publicDoor: PublicDoor(
        cameras: state.cameras, doors: state.doors, web: state.web, site: state.site, linkKey: state.linkKey,
        limits: limits, records: records, proxies: state.trustedProxies, isSecure: isSecure),
      quickDoor: QuickDoor(
        cameras: state.cameras, doors: state.doors, site: state.site, limits: limits, records: records,
        proxies: state.trustedProxies),
      privateDoor: PrivateDoor(
        cameras: state.cameras, authorizer: authorizer, hosts: UnknownHosts(state.privateHosts, logger: logger),
        limits: limits, records: records, desk: desk, configurator: configurator),
      authorizer: authorizer)
  }

  /// The public listener's answers.
  var publicResponder: PublicResponder { PublicResponder(doors: self) }

  /// The public listener's answers that are made on event loops, from the newest state.
  var quickDoor: QuickDoor { current.withLockedValue { $0.quickDoor } }

  /// The private listener's answers.
  var privateResponder: PrivateResponder { PrivateResponder(doors: self) }

  /// Answers each request from the newest state.
  struct PublicResponder: HTTPResponder {
    fileprivate let doors: Doors

    func respond(to request: Request, context: DoorContext) async -> Response {
      await doors.current.withLockedValue { $0.publicDoor }.respond(to: request, context: context)
    }
  }

  /// Answers each request from the newest state.
  struct PrivateResponder: HTTPResponder {
    fileprivate let doors: Doors

    func respond(to request: Request, context: DoorContext) async throws -> Response {
      try await doors.current.withLockedValue { $0.privateDoor }.respond(to: request, context: context)
    }
  }
}
