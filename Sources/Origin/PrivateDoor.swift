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
  private let operatorToken: String?
  private let reports: [String: OperatorReport]
  private let switches: OperatorSwitches

  init(cameras: [Camera], operatorToken: String?, reports: [String: OperatorReport]) {
    self.cameras = Dictionary(uniqueKeysWithValues: cameras.map { ($0.settings.name, $0) })
    switches = OperatorSwitches(cameras: self.cameras)
    self.operatorToken = operatorToken
    self.reports = reports
  }

  func respond(to request: Request, context: DoorContext) async throws -> Response {
    let target = RequestTarget(request.head.path ?? "/")
    let path = target.path
    if let report = reports[String(path)] { return closing(answer(request, report), request, context) }
    if let (name, action) = OperatorSwitches.parse(path: path) {
      if let refusal = refuseStranger(request) { return closing(refusal, request, context) }
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
    guard Credentials.bearer(request.headers, matches: camera.settings.token) else {
      return closing(
        Reply.error(
          request, .unauthorized, "unauthorized",
          "send the token of camera \(name) as \"Authorization: Bearer TOKEN\"",
          fields: [.wwwAuthenticate: "Bearer"]),
        request, context)
    }
    return try await StillUpload(request, camera: camera, channel: context.channel).answer()
  }

  /// The answer to a request whose body is not read.
  private func closing(_ response: Response, _ request: Request, _ context: DoorContext) -> Response {
    Reply.hasBody(request) ? Reply.closing(response, channel: context.channel) : response
  }

  private func answer(_ request: Request, _ report: OperatorReport) -> Response {
    if let refusal = refuseStranger(request) { return refusal }
    guard request.method == .get || request.method == .head else {
      return Reply.wrongMethod(request, allowed: "GET, HEAD")
    }
    return Reply.answer(
      request, status: .ok, fields: [.contentType: report.type, .cacheControl: "no-store"], body: report.content())
  }

  /// The answer to somebody who is not the operator.
  private func refuseStranger(_ request: Request) -> Response? {
    guard let operatorToken, !Credentials.bearer(request.headers, matches: operatorToken) else { return nil }
    return Reply.error(
      request, .unauthorized, "unauthorized", "send the operator's token as \"Authorization: Bearer TOKEN\"",
      fields: [.wwwAuthenticate: "Bearer"])
  }
}
