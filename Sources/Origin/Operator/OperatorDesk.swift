import Access
import HTTPTypes
import Hummingbird
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Records
import Station

/// Answers what the operator's page asks for.
package struct OperatorDesk: Sendable {
  /// Where viewers come to, for the links on the page.
  package struct Outside: Sendable {
    /// The public listener's own host, and whether it speaks TLS.
    let host: String
    let isSecure: Bool
    private let openPort = NIOLockedValueBox<Int?>(nil)
    private let currentBase: NIOLockedValueBox<String?>

    /// - Parameters:
    ///   - base: the setting `base-url`.
    ///   - host: the public listener's own host.
    ///   - isSecure: whether it speaks TLS.
    package init(base: String?, host: String, isSecure: Bool) {
      (self.host, self.isSecure) = (host, isSecure)
      currentBase = NIOLockedValueBox(base)
    }

    /// The setting `base-url`.
    var base: String? { currentBase.withLockedValue { $0 } }

    func replace(base: String?) { currentBase.withLockedValue { $0 = base } }

    /// The public listener's port, once it is open.
    var port: Int? { openPort.withLockedValue { $0 } }

    /// Notes the public listener's port.
    package func isOpen(port: Int) { openPort.withLockedValue { $0 = port } }
  }

  let sessions = OperatorSessions()
  package let tokens: AddedTokens
  let records: Records
  package let watch: StationWatch
  let web: WebAssets
  package let outside: Outside
  private let currentLinkKey: NIOLockedValueBox<LinkKey?>

  /// - Parameters:
  ///   - tokens: those that are made on the page.
  ///   - records: who watched, and what was done.
  ///   - watch: what the cameras did lately.
  ///   - linkKey: signs links; without one none can be made.
  package init(
    tokens: AddedTokens, records: Records, watch: StationWatch, web: WebAssets, outside: Outside, linkKey: LinkKey?
  ) {
    self.tokens = tokens
    self.records = records
    self.watch = watch
    self.web = web
    self.outside = outside
    currentLinkKey = NIOLockedValueBox(linkKey)
  }

  /// The key that signs links now.
  var linkKey: LinkKey? { currentLinkKey.withLockedValue { $0 } }

  /// Takes what can change while the server runs: the key of links, and the setting `base-url`.
  package func replace(linkKey: LinkKey?, base: String?) {
    currentLinkKey.withLockedValue { $0 = linkKey }
    outside.replace(base: base)
  }

  /// The cameras and limits of one moment.
  struct Scope {
    let cameras: [Camera]
    let limits: AccessLimits
    let authorizer: IngestAuthorizer

    func camera(_ name: Substring) -> Camera? {
      CameraName(name).flatMap { name in cameras.first { $0.settings.name == name } }
    }
  }

  /// The answer to a request of the page, or to a program that asks the same; `nil` if the path is none of the page's.
  func answer(_ request: Request, _ target: RequestTarget, _ scope: Scope, context: DoorContext) async throws
    -> Response?
  {
    guard let route = OperatorRoute(path: target.path) else { return nil }
    if request.method == .options { return SitePolicy.none.options(request, methods: route.methods) }
    guard route.methods.contains(request.method) else { return Reply.wrongMethod(request, allowed: route.methods) }
    if case .session = route { return session(request, scope, context) }
    if !route.isOpen {
      let changes = request.method != .get && request.method != .head
      if let refusal = scope.authorizer.operatorRefusal(request, changes: changes, context: context) { return refusal }
    }
    var response = try await answer(request, route, target.query, scope, context)
    // No page of another site, nor of another port of this host, may show what is here.
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    return response
  }

  private func answer(
    _ request: Request, _ route: OperatorRoute, _ query: Substring, _ scope: Scope, _ context: DoorContext
  ) async throws -> Response {
    switch route {
    case .page: return page(request)
    case .asset(let name): return web.asset(request, named: name) ?? Reply.notFound(request)
    case .session: return Reply.notFound(request)
    case .overview:
      return Reply.answer(
        request, status: .ok, fields: [.contentType: "application/json", .cacheControl: "no-store"],
        body: try overview(scope).jsonLine())
    case .history: return await history(request, query, scope)
    case .actions: return await actions(request, query, scope)
    case .tokens where request.method == .post: return await makeToken(request, query, scope)
    case .tokens: return Reply.json(request, .ok, TokenList(tokens.all).json)
    case .token(let id): return await revoke(request, id)
    case .links: return link(request, query, scope)
    case .latest(let name):
      guard let camera = scope.camera(name) else { return unknown(request, name) }
      guard let latest = camera.edge.latest else {
        return Reply.error(
          request, .serviceUnavailable, "notReady", "there is no picture yet; try again", fields: [.retryAfter: "1"])
      }
      return Reply.resource(
        request, bytes: latest.jpeg, type: "image/jpeg", etag: latest.etag, caching: .revalidate)
    case .events(let name):
      guard let camera = scope.camera(name) else { return unknown(request, name) }
      return EventStream(
        feed: camera.events, lastEventID: request.headers[.lastEventID], only: EventStream.kinds(query),
        channel: context.channel,
        // A session that has ended and a token that was revoked get no more events.
        isAdmitted: { scope.authorizer.operatorRefusal(request, changes: false, context: context) == nil }
      ).response(request)
    }
  }

  func unknown(_ request: Request, _ name: Substring) -> Response {
    Reply.error(
      request, .notFound, "unknownCamera", "no camera \"\(name.prefix(40))\" is configured; /status lists them")
  }

  // MARK: The page

  private static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  private func page(_ request: Request) -> Response {
    var response = Reply.text(request, web.operatorPage, type: "text/html; charset=utf-8", caching: .revalidate)
    response.headers[.contentSecurityPolicy] = Self.policy
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.crossOriginOpenerPolicy] = "same-origin"
    response.headers[.crossOriginEmbedderPolicy] = "require-corp"
    response.headers[.permissionsPolicy] = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"
    return response
  }

  private func overview(_ scope: Scope) -> Overview {
    let (now, disk, visits) = (WallTime.now, watch.disk, records.current())
    return Overview(
      time: now.iso8601, start: watch.start.iso8601,
      public: Overview.Public(
        base: OrNull(outside.base), isSecure: outside.isSecure, host: outside.host,
        port: OrNull(outside.port), connections: scope.limits.viewers.counted.open),
      store: OrNull(disk.map { Overview.Store(freeBytes: $0.free, totalBytes: $0.total) }),
      makesLinks: linkKey != nil, sessions: sessions.count, wrongTokens: scope.limits.withTokens { $0.counted().wrong },
      cameras: scope.cameras.map { camera in
        let name = camera.settings.name
        return Overview.Item(
          camera, access: scope.authorizer.access(to: name), watch: watch.watch(of: name),
          visits: visits[name.text], diskBytes: disk?.cameras[name], now: now)
      })
  }

  // MARK: The log

  /// Writes down what a request has done, or why it was refused.
  func note(_ what: String, _ camera: CameraName?, _ request: Request, _ response: Response) {
    let isDone = response.status.kind == .successful
    note(what, camera, request, outcome: isDone ? "done" : "refused-\(response.status.code)")
  }

  func note(_ what: String, _ camera: CameraName?, _ request: Request, outcome: String = "done") {
    let way: OperatorAction.Way =
      request.headers[.authorization] == nil && request.headers[.cookie] != nil ? .page : .api
    records.note(what, camera: camera, way: way, outcome: outcome)
  }

  private func actions(_ request: Request, _ query: Substring, _ scope: Scope) async -> Response {
    let name = Query.value("camera", in: query)
    if let name, scope.camera(name[...]) == nil { return unknown(request, name[...]) }
    let most = min(500, max(1, Query.value("most", in: query).flatMap { Int($0) } ?? 100))
    do {
      let actions = try await records.actions(newest: most, camera: name.flatMap { CameraName($0) })
      return Reply.json(request, .ok, ActionList(actions).json)
    } catch { return unread(request, error) }
  }

  private func history(_ request: Request, _ query: Substring, _ scope: Scope) async -> Response {
    let name = Query.value("camera", in: query)
    if let name, scope.camera(name[...]) == nil { return unknown(request, name[...]) }
    let text = Query.value("span", in: query) ?? "day"
    guard let span = HistorySpan(rawValue: text) else {
      return Reply.error(request, .badRequest, "badSpan", "span is none of day, month, year; send span=day")
    }
    var chart = HistoryChart(span, now: WallTime.now.milliseconds / 1000)
    let camera = name.flatMap { CameraName($0) }
    let (from, to) = (
      WallTime(milliseconds: chart.range.lowerBound * 1000), WallTime(milliseconds: chart.range.upperBound * 1000)
    )
    do {
      for row in try await records.sums(by: span == .day ? .hour : .day, camera: camera, from: from, to: to) {
        chart.add(HistoryRow(row))
      }
      return Reply.json(request, .ok, chart.json)
    } catch { return unread(request, error) }
  }

  private func unread(_ request: Request, _ error: any Error) -> Response {
    Reply.error(
      request, .serviceUnavailable, "noRecords",
      "what was written down cannot be read: \(error); see to the disk of the store, then try again")
  }
}

extension HTTPField.Name {
  static let crossOriginOpenerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
}
