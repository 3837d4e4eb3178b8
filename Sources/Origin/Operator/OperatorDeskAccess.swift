import Access
import HTTPTypes
import Hummingbird
import Media
import NIOPosix
import Records
import Station

/// Sessions, tokens and links.
extension OperatorDesk {
  // MARK: Sessions

  /// Signs in with the token in `Authorization`, says whether there is a session, or signs out.
  func session(_ request: Request, _ scope: Scope, _ context: DoorContext) -> Response {
    let cookie = Self.cookie(request, context)
    let id = request.headers[.cookie].flatMap { cookie.id(in: $0) }
    switch request.method {
    case .post:
      // A page of another site must not sign anybody in; it could not send the header either.
      let shown = scope.authorizer.operatorRefusal(request, changes: true, context: context, takesSession: false)
      if let refusal = shown { return refusal }
      if let id { sessions.end(id) }
      let token = tokens.shown(Credentials.shown(request.headers, query: ""), for: .operator)
      records.note("sign-in", camera: nil, way: .page, outcome: "done")
      return Reply.json(
        request, .ok, "{\"signedIn\":true}", fields: [.setCookie: cookie.set(sessions.begin(with: token?.id ?? ""))])
    case .delete:
      guard !OperatorGate.isForeign(request.head) else {
        return Reply.error(request, .forbidden, "otherSite", "the request comes from a page of another site")
      }
      if let id { sessions.end(id) }
      return Reply.json(request, .ok, "{\"signedIn\":false}", fields: [.setCookie: cookie.removal])
    default:
      let isIn = id.map { !OperatorGate.isForeign(request.head) && sessions.admits($0) } ?? false
      return Reply.json(request, .ok, "{\"signedIn\":\(isIn)}")
    }
  }

  /// Whether a request comes from the operator's page with a session that has not ended.
  ///
  /// A browser sends the cookie with requests from other ports of the same host too, so the request must also come from
  /// the page itself.
  func admits(_ request: Request, changes: Bool, _ context: DoorContext) -> Bool {
    guard let cookies = request.headers[.cookie], !OperatorGate.isForeign(request.head),
      !changes || OperatorGate.isOurs(request.head),
      let id = Self.cookie(request, context).id(in: cookies)
    else { return false }
    return sessions.admits(id)
  }

  /// The cookie of the listener that a request came to.
  static func cookie(_ request: Request, _ context: DoorContext) -> SessionCookie {
    let fields = request.headers
    let forwarded = (Visitor.forwarded(fields, "proto") ?? fields[.xForwardedProto])?.lowercased()
    let isSecure = context.isSecure || (context.client.isLocal && forwarded == "https")
    return SessionCookie(port: context.channel.localAddress?.port ?? 0, isSecure: isSecure)
  }

  // MARK: Tokens

  func makeToken(_ request: Request, _ query: Substring, _ scope: Scope) async -> Response {
    guard let text = Query.value("for", in: query), let opens = AddedToken.Scope(text) else {
      return Reply.error(
        request, .badRequest, "badScope", "for is neither operator nor camera:NAME; send for=camera:NAME")
    }
    var camera: CameraName?
    if case .camera(let name) = opens {
      guard scope.camera(name.text[...]) != nil else { return unknown(request, name.text[...]) }
      camera = name
    }
    let (note, tokens) = (Query.value("note", in: query) ?? "", tokens)
    let time = WallTime.now.milliseconds / 1000
    do {
      // Writing waits for the disk.
      let made = try await NIOThreadPool.singleton.runIfActive { try tokens.make(opens, note: note, time: time) }
      self.note("token-made", camera, request)
      return Reply.json(
        request, .created, "{\"token\":\"\(made.token.text)\",\"kept\":\(TokenList.json(of: made.kept))}")
    } catch {
      self.note("token-made", camera, request, outcome: "failed")
      return Reply.error(request, .notWritten, "notWritten", "no token was made: \(error)")
    }
  }

  func revoke(_ request: Request, _ id: String) async -> Response {
    let tokens = tokens
    do {
      guard let token = try await NIOThreadPool.singleton.runIfActive({ try tokens.revoke(id: id) }) else {
        return Reply.error(
          request, .notFound, "unknownToken", "there is no token \"\(id.prefix(40))\"; /tokens lists them")
      }
      sessions.endAll(with: token.id)
      let camera: CameraName? = if case .camera(let name) = token.scope { name } else { nil }
      note("token-revoked", camera, request)
      return Reply.json(request, .ok, "{\"revoked\":true}")
    } catch {
      sessions.endAll(with: id)
      note("token-revoked", nil, request, outcome: "failed")
      return Reply.error(
        request, .notWritten, "notWritten",
        "the token is revoked, but comes back with the next start: \(error)")
    }
  }

  // MARK: Links

  func link(_ request: Request, _ query: Substring, _ scope: Scope) -> Response {
    let name = Query.value("camera", in: query) ?? ""
    guard let camera = scope.camera(name[...]) else { return unknown(request, name[...]) }
    guard let linkKey, scope.authorizer.access(to: camera.settings.name) == .signed else {
      return Reply.error(
        request, .conflict, "notSigned", "camera \(name) has not access: signed, so everyone sees it without a link")
    }
    guard let seconds = Query.value("for", in: query).flatMap({ Int64($0) }), (1...366 * 86_400).contains(seconds)
    else {
      return Reply.error(
        request, .badRequest, "badTime", "for is not a number of seconds from 1 to 31622400; send for=86400")
    }
    let expiry = ViewerLink.expiry(after: seconds, from: WallTime.now.milliseconds / 1000)
    let link = ViewerLink(camera: camera.settings.name, expiry: expiry, key: linkKey)
    note("link-made", camera.settings.name, request)
    return Reply.json(
      request, .created,
      "{\"path\":\"\(camera.settings.name)/\(link)/\",\"ends\":\"\(WallTime(milliseconds: expiry * 1000).iso8601)\"}")
  }
}

extension HTTPResponse.Status {
  /// The disk did not take it (RFC 4918, section 11.5).
  fileprivate static let notWritten = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
}

extension HTTPField.Name {
  static let setCookie = HTTPField.Name("Set-Cookie")!
}
