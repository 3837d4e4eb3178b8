import Access
import HTTPTypes
import Hummingbird
import Logging
import Media
import NIOCore
import Picture
import Records
import Station

/// The private listener's answers: takes stills and serves operators.
struct PrivateDoor: HTTPResponder {
  private let cameras: [CameraName: Camera]
  private let inOrder: [Camera]
  private let limits: AccessLimits
  private let authorizer: IngestAuthorizer
  private let hosts: UnknownHosts
  private let records: Records
  private let switches: OperatorSwitches
  private let desk: OperatorDesk
  private let configurator: (any Configurator)?

  init(
    cameras: [Camera], authorizer: IngestAuthorizer, hosts: UnknownHosts, limits: AccessLimits, records: Records,
    desk: OperatorDesk, configurator: (any Configurator)? = nil
  ) {
    self.desk = desk
    self.configurator = configurator
    self.cameras = Dictionary(uniqueKeysWithValues: cameras.map { ($0.settings.name, $0) })
    inOrder = cameras
    switches = OperatorSwitches(cameras: self.cameras)
    self.authorizer = authorizer
    self.hosts = hosts
    self.limits = limits
    self.records = records
    ProcessUsage.begin()
  }

  func respond(to request: Request, context: DoorContext) async throws -> Response {
    var response = try await answer(to: request, context: context)
    // No page of another site that is open on a machine with access can read the answer.
    response.headers[.accessControlAllowOrigin] = nil
    if response.status == .unauthorized, OperatorGate.isOurs(request.head) {
      // The page asks for the token itself; a browser that is told of Basic would ask too, in a window of its own.
      response.headers[.wwwAuthenticate] = "Bearer"
    }
    response.headers[.xContentTypeOptions] = "nosniff"
    // A page of another site cannot even show it: a browser may know a token from Basic authentication.
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    return response
  }

  private func answer(to request: Request, context: DoorContext) async throws -> Response {
    if let refusal = hosts.refusal(of: request) { return closing(refusal, request, context) }
    let target = RequestTarget(request.head.path ?? "/")
    let path = target.path
    let scope = OperatorDesk.Scope(cameras: inOrder, limits: limits, authorizer: authorizer)
    if let response = try await desk.answer(request, target, scope, context: context) {
      return closing(response, request, context)
    }
    if request.method == .options { return closing(options(request, target), request, context) }
    if let page = OperatorPage(rawValue: String(path)) {
      return closing(try answer(request, page, context), request, context)
    }
    if let configurator, let wanted = ConfigurationRequest(path: path) {
      // The settings of a camera are for operators alone, read or written.
      let refusal = authorizer.operatorRefusal(request, changes: true, context: context)
      if let refusal { return closing(refusal, request, context) }
      let answer = await wanted.answer(request, configurator)
      if request.method == .post || request.method == .put || request.method == .delete {
        desk.note(wanted.word(request.method), wanted.camera, request, answer)
      }
      let isRead = request.method == .put && answer.status != .contentTooLarge
      return isRead ? answer : closing(answer, request, context)
    }
    if let (name, action) = OperatorSwitches.parse(path: path) {
      let refusal = authorizer.operatorRefusal(request, changes: action != .recent, context: context)
      if let refusal { return closing(refusal, request, context) }
      let response = await switches.answer(request, camera: name, action, query: target.query)
      if let known = CameraName(name), cameras[known] != nil, request.method == .post {
        desk.note(action.name, known, request, response)
      }
      return closing(response, request, context)
    }
    guard path.hasPrefix("/ingest/") else { return closing(Reply.notFound(request, target), request, context) }
    let text = path.dropFirst("/ingest/".count)
    guard let name = CameraName(text), let camera = cameras[name] else {
      return closing(
        Reply.error(
          request, .notFound, "unknownCamera",
          "no camera \"\(text.prefix(40))\" is configured; use the name that the server's settings give it"),
        request, context)
    }
    guard request.method == .post || request.method == .put else {
      return closing(Reply.wrongMethod(request, allowed: [.post, .put]), request, context)
    }
    switch authorizer.enter(request, camera: camera, context: context) {
    case .refused(let response): return closing(response, request, context)
    case .open(let signature):
      return try await StillUpload(
        request, camera: camera, signature: signature, authorizer: authorizer, context: context
      ).answer()
    }
  }

  /// What can be done at an address; nothing of another site is allowed here, so a preflight finds no other word.
  private func options(_ request: Request, _ target: RequestTarget) -> Response {
    let path = target.path
    let methods: [HTTPRequest.Method]
    if let name = CameraName(path.dropFirst("/ingest/".count)), path.hasPrefix("/ingest/"), cameras[name] != nil {
      methods = [.post, .put]
    } else if configurator != nil, let wanted = ConfigurationRequest(path: path) {
      methods = wanted.methods
    } else if let (_, action) = OperatorSwitches.parse(path: path) {
      methods = action == .recent ? [.get, .head] : [.post]
    } else if path == "*" {
      methods = [.get, .head, .post, .put, .delete]
    } else if OperatorPage(rawValue: String(path)) != nil {
      methods = [.get, .head]
    } else {
      return Reply.notFound(request, target)
    }
    return SitePolicy.none.options(request, methods: methods)
  }

  /// The answer to a request whose body is not read.
  private func closing(_ response: Response, _ request: Request, _ context: DoorContext) -> Response {
    Reply.hasBody(request) ? Reply.closing(response, channel: context.channel) : response
  }

  private func answer(_ request: Request, _ page: OperatorPage, _ context: DoorContext) throws -> Response {
    if let refusal = authorizer.operatorRefusal(request, changes: false, context: context) { return refusal }
    guard request.method == .get || request.method == .head else {
      return Reply.wrongMethod(request, allowed: [.get, .head])
    }
    return Reply.answer(
      request, status: .ok, fields: [.contentType: page.contentType, .cacheControl: "no-store"],
      body: try page.render(inOrder, doors: limits, visits: records.current(), now: .now))
  }
}
