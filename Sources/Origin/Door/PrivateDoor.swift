import Access
import HTTPTypes
import Hummingbird
import Logging
import Media
import NIOCore
import Picture
import Station

/// The private listener's answers: takes stills and serves operators.
struct PrivateDoor: HTTPResponder {
  private let cameras: [CameraName: Camera]
  private let authorizer: IngestAuthorizer
  private let reports: [String: OperatorReport]
  private let switches: OperatorSwitches

  init(cameras: [Camera], authorizer: IngestAuthorizer, reports: [String: OperatorReport]) {
    self.cameras = Dictionary(uniqueKeysWithValues: cameras.map { ($0.settings.name, $0) })
    switches = OperatorSwitches(cameras: self.cameras)
    self.authorizer = authorizer
    self.reports = reports
  }

  func respond(to request: Request, context: DoorContext) async throws -> Response {
    var response = try await answer(to: request, context: context)
    // No page of another site, looked at by somebody who reaches this door, may read what it says.
    response.headers[.accessControlAllowOrigin] = nil
    response.headers[.xContentTypeOptions] = "nosniff"
    return response
  }

  private func answer(to request: Request, context: DoorContext) async throws -> Response {
    let target = RequestTarget(request.head.path ?? "/")
    let path = target.path
    if let report = reports[String(path)] { return closing(answer(request, report, context), request, context) }
    if let (name, action) = OperatorSwitches.parse(path: path) {
      let refusal = authorizer.operatorRefusal(request, changes: action != .recent, context: context)
      if let refusal { return closing(refusal, request, context) }
      return closing(
        await switches.answer(request, camera: name, action, query: target.query), request, context)
    }
    guard path.hasPrefix("/ingest/") else { return closing(Reply.notFound(request), request, context) }
    let text = path.dropFirst("/ingest/".count)
    guard let name = CameraName(text), let camera = cameras[name] else {
      return closing(
        Reply.error(
          request, .notFound, "unknownCamera",
          "no camera \"\(text.prefix(40))\" is configured; use the name that the server's settings give it"),
        request, context)
    }
    guard request.method == .post || request.method == .put else {
      return closing(Reply.wrongMethod(request, allowed: "POST, PUT"), request, context)
    }
    switch authorizer.enter(request, camera: camera, context: context) {
    case .refused(let response): return closing(response, request, context)
    case .open(let signature):
      return try await StillUpload(
        request, camera: camera, signature: signature, authorizer: authorizer, context: context
      ).answer()
    }
  }

  /// The answer to a request whose body is not read.
  private func closing(_ response: Response, _ request: Request, _ context: DoorContext) -> Response {
    Reply.hasBody(request) ? Reply.closing(response, channel: context.channel) : response
  }

  private func answer(_ request: Request, _ report: OperatorReport, _ context: DoorContext) -> Response {
    if let refusal = authorizer.operatorRefusal(request, changes: false, context: context) { return refusal }
    guard request.method == .get || request.method == .head else {
      return Reply.wrongMethod(request, allowed: "GET, HEAD")
    }
    return Reply.answer(
      request, status: .ok, fields: [.contentType: report.type, .cacheControl: "no-store"], body: report.content())
  }
}
