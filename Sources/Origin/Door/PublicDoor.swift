import Access
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Packager
import Records
import Station

/// The public listener's answers: pages, playlists, media, pictures, photos, events and waves, and nothing else.
struct PublicDoor: HTTPResponder {
  private let cameras: [CameraName: Camera]
  private let doors: [CameraName: DoorSettings]
  private let names: [CameraName]
  private let web: WebAssets
  private let pages: Pages
  private let site: SitePolicy
  private let linkKey: LinkKey?
  let waits: WaitLimit
  private let waves: WaveLimits
  private let traffic: Traffic
  private let watching: Watching
  private let proxies: TrustedProxies
  private let hidden: Set<CameraName>
  private let about: [CameraName: EncodedText]
  /// Whether viewers come by TLS.
  private let isSecure: Bool

  init(
    cameras: [Camera], doors: [CameraName: DoorSettings], web: WebAssets, site: SitePolicy, linkKey: LinkKey?,
    limits: AccessLimits, records: Records, proxies: TrustedProxies, isSecure: Bool
  ) {
    self.cameras = Dictionary(uniqueKeysWithValues: cameras.map { ($0.settings.name, $0) })
    self.doors = doors
    names = cameras.map(\.settings.name)
    self.web = web
    self.site = site
    self.linkKey = linkKey
    waits = limits.waits
    waves = limits.waves
    traffic = records.traffic
    watching = Watching(records, site: site)
    self.proxies = proxies
    self.isSecure = isSecure
    about = cameras.reduce(into: [:]) { $0[$1.settings.name] = AboutCamera($1.settings).encoded }
    hidden = Set(names.filter { (doors[$0] ?? .closed).access == .signed })
    pages = Pages(web, cameras: cameras.map(\.settings), hidden: hidden, site: site)
  }

  func respond(to request: Request, context: DoorContext) async -> Response {
    let target = RequestTarget(request.head.path ?? "/")
    let pass = ViewerPass(path: target.path)
    let route = PublicRoute(path: pass.path)
    let visitor = Visitor(request.headers, client: context.peer, proxies: proxies)
    var context = context
    context.client = visitor.client
    var response = await answer(request, target, pass, route, visitor, context: context)
    site.mark(&response.headers)
    let camera = route?.camera.flatMap { cameras[$0] }
    if let route, let camera { watching.answered(request, route, response.status, camera: camera, visitor: visitor) }
    // Viewers have nothing to send; a body is not read.
    if Reply.hasBody(request) { response = Reply.closing(response, channel: context.channel) }
    let isError = response.status.kind == .clientError || response.status.kind == .serverError
    let kind = isError ? .other : route?.kind ?? .other
    let name = camera?.settings.name.text ?? ""
    return SentCounting.counted(response) { [traffic] in traffic.add($0, kind, camera: name) }
  }

  private func answer(
    _ request: Request, _ target: RequestTarget, _ pass: ViewerPass, _ route: PublicRoute?, _ visitor: Visitor,
    context: DoorContext
  ) async -> Response {
    if target.path == "*", request.method == .options { return site.options(request, methods: [.get, .head, .post]) }
    guard let route else { return Reply.notFound(request, target) }
    let camera = route.camera.flatMap { cameras[$0] }
    if let camera {
      if let refusal = refusal(request, pass, camera: camera) { return refusal }
    } else if route.camera != nil || pass.link != nil {
      return Reply.notFound(request)
    }
    if case .icon(let name) = route, name != web.icon.name { return Reply.notFound(request) }
    if request.method == .options { return site.options(request, methods: route.methods) }
    guard route.methods.contains(request.method) else { return Reply.wrongMethod(request, allowed: route.methods) }
    if case .wave = route, let camera {
      return wave(request, camera: camera, visitor: visitor)
    }
    if case .seen(let name) = route {
      return watching.seen(request, query: target.query, camera: name, visitor: visitor)
    }
    switch route {
    case .home: return page(request, .home, context)
    case .sample: return page(request, .sample, context)
    case .sampleWithoutSlash:
      guard site.sampleCamera != nil else { return Reply.notFound(request) }
      return Reply.answer(
        request, status: .permanentRedirect, fields: [.location: "sample/", .cacheControl: "no-cache"],
        body: ByteBuffer())
    case .element: return web.element(request) ?? Reply.notFound(request)
    case .icon(let name): return web.icon(request, named: name) ?? Reply.notFound(request)
    case .embedding: return embedding(request, query: target.query, context)
    case .asset(let name): return web.asset(request, named: name) ?? Reply.notFound(request)
    case .health: return Reply.json(request, .ok, "{\"status\":\"ok\"}")
    case .readiness:
      let waiting = names.filter { cameras[$0]?.edge.snapshot == nil }
      if waiting.isEmpty { return Reply.json(request, .ok, "{\"status\":\"ready\"}") }
      let shownNames = waiting.map { hidden.contains($0) ? "a private camera" : $0.text }
      return Reply.error(
        request, .serviceUnavailable, "notReady", "still starting: \(shownNames.joined(separator: ", "))",
        fields: [.retryAfter: "1"])
    case .withoutSlash, .page, .multivariant, .media, .plain, .file, .latest, .events, .wave, .seen, .about,
      .photos, .photo:
      guard let camera else { return Reply.notFound(request) }
      let response = await answer(
        request, route, camera: camera, pass: pass, query: target.query, context: context)
      return pass.limiting(response, now: .now)
    }
  }

  /// The refusal for a viewer who cannot see a camera; `nil` if the viewer can.
  private func refusal(_ request: Request, _ pass: ViewerPass, camera: Camera) -> Response? {
    let name = camera.settings.name
    let access = (doors[name] ?? .closed).access
    return switch pass.verdict(for: name, access: access, key: linkKey, now: .now) {
    case .seen: nil
    case .unknown: Reply.notFound(request)
    case .ended: Reply.error(request, .forbidden, "linkEnded", "this link has ended; ask for a new one")
    }
  }

  private func answer(
    _ request: Request, _ route: PublicRoute, camera: Camera, pass: ViewerPass, query: Substring, context: DoorContext
  ) async -> Response {
    let (edge, channel) = (camera.edge, context.channel)
    if edge.snapshot == nil, route.isOfStream {
      // A process that was just started lists in a moment what it listed before, and players treat an error as the end.
      guard let place = waits.enter(context.client) else { return tooManyWait(request) }
      defer { withExtendedLifetime(place) {} }
      _ = await edge.wait(
        for: PartPosition(sequence: 0, part: 0), deadline: .now + .seconds(10), isWanted: { channel.isActive })
      if edge.snapshot == nil { return notReady(request) }
    }
    switch route {
    case .withoutSlash(let name):
      // Relative, since a proxy may serve all this below a path of its own.
      let folder = (pass.link.map { "\($0)/" } ?? "\(name)/") + (query.isEmpty ? "" : "?\(query)")
      return Reply.answer(
        request, status: .permanentRedirect,
        fields: [
          .location: folder, .cacheControl: Reply.Caching.seconds(60).header, .accessControlAllowOrigin: "*",
        ], body: ByteBuffer())
    case .page(let name): return page(request, .camera(name), context)
    case .about(let name):
      guard let text = about[name] else { return Reply.notFound(request) }
      var response = Reply.text(request, text, type: "application/json", caching: .seconds(60))
      response.headers[.timingAllowOrigin] = "*"
      return response
    case .photos:
      return Reply.text(request, camera.photos.list, type: "application/json", caching: .seconds(1))
    case .photo(_, let name): return await photo(request, camera: camera, named: name, context: context)
    case .events:
      let end = pass.secondsLeft(.now).map { ContinuousClock.now + .seconds($0) }
      guard let place = waits.enter(context.client) else { return tooManyWait(request) }
      return EventStream(
        feed: camera.events, lastEventID: request.headers[.lastEventID], only: EventStream.kinds(query),
        channel: channel, end: end, place: place
      ).response(request)
    case .latest:
      guard let latest = edge.latest else { return notReady(request) }
      return Reply.resource(
        request, bytes: latest.jpeg, type: "image/jpeg", etag: latest.etag, caching: .revalidate)
    case .multivariant: return await stream(request, .multivariant, camera: camera, pass: pass, context: context)
    case .media:
      return await stream(request, .media(query: query), camera: camera, pass: pass, context: context)
    case .plain: return await plainPlaylist(request, camera: camera, context: context)
    case .file(_, let name): return await stream(request, .file(name), camera: camera, pass: pass, context: context)
    default: return Reply.notFound(request)
    }
  }

  /// A page for who asks for it, with what other sites read of it.
  private func page(_ request: Request, _ page: Pages.Page, _ context: DoorContext) -> Response {
    let root = OutsideAddress.of(request, client: context.peer, isSecure: isSecure, site: site)
    return pages.answer(request, page, root: root) ?? Reply.notFound(request)
  }

  private func embedding(_ request: Request, query: Substring, _ context: DoorContext) -> Response {
    let format = Query.value("format", in: query) ?? "json"
    guard format == "json" else {
      return Reply.error(request, .notImplemented, "unknownFormat", "there is oEmbed as JSON alone; send format=json")
    }
    guard let address = Query.value("url", in: query), !address.isEmpty else {
      return Reply.error(request, .badRequest, "noAddress", "send url=ADDRESS with the escaped address of a page")
    }
    func limit(_ name: String) -> Int?? {
      guard let text = Query.value(name, in: query) else { return .some(nil) }
      return Int(text).flatMap { (1...100_000).contains($0) ? $0 : nil }.map { .some($0) }
    }
    guard let width = limit("maxwidth"), let height = limit("maxheight") else {
      return Reply.error(
        request, .badRequest, "badSize", "maxwidth and maxheight are whole numbers of pixels from 1 to 100000")
    }
    guard let root = OutsideAddress.of(request, client: context.peer, isSecure: isSecure, site: site),
      let embedding = pages.embedding(of: address, root: root, maxWidth: width, maxHeight: height)
    else { return Reply.notFound(request) }
    let bytes = ByteBuffer(string: embedding.json(maxWidth: width, maxHeight: height) + "\n")
    return Reply.text(
      request, EncodedText(bytes, etag: bytes.fingerprint), type: "application/json", caching: .seconds(300))
  }

  /// A visitor waves.
  private func wave(_ request: Request, camera: Camera, visitor: Visitor) -> Response {
    guard WavePolicy.allows(request, site: site) else {
      return Reply.error(
        request, .forbidden, "otherSite",
        "waves are not taken from pages of this site; its operator can be asked to name it in allow-origin")
    }
    switch waves.wave(from: visitor.address, isShared: visitor.isShared, now: .now) {
    case .taken: return Reply.json(request, .accepted, "{\"waves\":\(camera.wave())}")
    case .refused(let seconds):
      return Reply.error(
        request, .tooManyRequests, "tooManyWaves", "you have waved often; wave again in \(seconds) s",
        fields: [.retryAfter: "\(seconds)"])
    }
  }

  private func photo(
    _ request: Request, camera: Camera, named name: PhotoName, context: DoorContext
  ) async -> Response {
    let channel = context.channel
    switch await camera.photos.photo(named: name, deadline: .now + .seconds(10), isWanted: { channel.isActive }) {
    case .found(let bytes):
      return Reply.resource(request, bytes: bytes, type: "image/jpeg", etag: "\"\(name.tag)\"", caching: .forever)
    case .unknown: return Reply.notFound(request)
    case .busy:
      return Reply.error(
        request, .serviceUnavailable, "diskBusy", "the disk with the photos does not answer; try again in a while",
        fields: [.retryAfter: "5"])
    }
  }

  func tooManyWait(_ request: Request) -> Response {
    Reply.error(
      request, .serviceUnavailable, "tooManyWaiting",
      "too many requests from your address wait for what comes next; end some, or try again in a while",
      fields: [.retryAfter: "5"])
  }

  func notReady(_ request: Request) -> Response {
    Reply.error(
      request, .serviceUnavailable, "notReady", "there is nothing new to send yet; try again",
      fields: [.retryAfter: "1"])
  }
}

extension HTTPField.Name {
  static let lastEventID = HTTPField.Name("Last-Event-ID")!
}
