import Access
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Packager
import Station

/// The public listener's answers: pages, playlists, media, pictures and events, and nothing else.
struct PublicDoor: HTTPResponder {
  private let cameras: [CameraName: Camera]
  private let names: [CameraName]
  private let web: WebAssets
  private let pages: Pages
  private let site: SitePolicy
  private let linkKey: LinkKey?
  private let waits: WaitLimit
  private let hidden: Set<CameraName>

  init(cameras: [Camera], web: WebAssets, site: SitePolicy, linkKey: LinkKey?, waits: WaitLimit) {
    self.cameras = Dictionary(uniqueKeysWithValues: cameras.map { ($0.settings.name, $0) })
    names = cameras.map(\.settings.name)
    self.web = web
    self.site = site
    self.linkKey = linkKey
    self.waits = waits
    hidden = Set(cameras.map(\.settings).filter { $0.access == .signed }.map(\.name))
    pages = Pages(web, cameras: names, hidden: hidden, site: site)
  }

  func respond(to request: Request, context: DoorContext) async -> Response {
    var response = await answer(request, context: context)
    if response.headers[.accessControlAllowOrigin] != nil {
      response.headers[.accessControlAllowOrigin] = site.allowedOrigin
    }
    // Viewers have nothing to send; who sends all the same is not read.
    return Reply.hasBody(request) ? Reply.closing(response, channel: context.channel) : response
  }

  private func answer(_ request: Request, context: DoorContext) async -> Response {
    let target = RequestTarget(request.head.path ?? "/")
    let pass = ViewerPass(path: target.path)
    guard let route = PublicRoute(path: pass.path) else { return Reply.notFound(request) }
    let camera = route.camera.flatMap { cameras[$0] }
    if let camera {
      if let refusal = refusal(request, pass, camera: camera) { return refusal }
    } else if route.camera != nil || pass.link != nil {
      return Reply.notFound(request)
    }
    if case .wave = route, let camera {
      guard request.method == .post else { return Reply.wrongMethod(request, allowed: "POST") }
      return Reply.json(request, .accepted, "{\"waves\":\(camera.wave())}")
    }
    guard request.method == .get || request.method == .head else {
      return Reply.wrongMethod(request, allowed: "GET, HEAD")
    }
    switch route {
    case .home: return pages.home(request)
    case .asset(let name): return web.asset(request, named: name) ?? Reply.notFound(request)
    case .health: return Reply.json(request, .ok, "{\"status\":\"ok\"}")
    case .readiness:
      let waiting = names.filter { cameras[$0]?.edge.snapshot == nil }
      if waiting.isEmpty { return Reply.json(request, .ok, "{\"status\":\"ready\"}") }
      let counted = waiting.map { hidden.contains($0) ? "a private camera" : $0.text }
      return Reply.error(
        request, .serviceUnavailable, "notReady", "still beginning: \(counted.joined(separator: ", "))",
        fields: [.retryAfter: "1"])
    case .withoutSlash, .page, .multivariant, .media, .plain, .file, .latest, .events, .wave:
      guard let camera else { return Reply.notFound(request) }
      let response = await answer(
        request, route, camera: camera, pass: pass, query: target.query, context: context)
      return pass.limiting(response, now: .now)
    }
  }

  /// The answer to a viewer who may not see a camera; `nil` where the viewer may.
  private func refusal(_ request: Request, _ pass: ViewerPass, camera: Camera) -> Response? {
    switch pass.verdict(for: camera.settings.name, access: camera.settings.access, key: linkKey, now: .now) {
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
      // A process that was just started lists in a moment what it listed before, and players take an error for the end.
      guard let place = waits.enter(context.client) else { return tooManyWait(request) }
      defer { withExtendedLifetime(place) {} }
      _ = await edge.wait(
        for: PartPosition(sequence: 0, part: 0), deadline: .now + .seconds(10), isWanted: { channel.isActive })
      if edge.snapshot == nil { return notReady(request) }
    }
    switch route {
    case .withoutSlash(let name):
      let folder = "/\(name)/" + (pass.link.map { "\($0)/" } ?? "")
      return Reply.answer(
        request, status: .permanentRedirect, fields: [.location: folder, .cacheControl: "public, max-age=3600"],
        body: ByteBuffer())
    case .page(let name): return pages.player(request, camera: name) ?? Reply.notFound(request)
    case .events:
      let end = pass.secondsLeft(.now).map { ContinuousClock.now + .seconds($0) }
      guard let place = waits.enter(context.client) else { return tooManyWait(request) }
      return EventStream(
        edge: edge, lastEventID: request.headers[.lastEventID], channel: channel, end: end, place: place
      ).response(request)
    case .latest:
      guard let latest = edge.latest else { return notReady(request) }
      return Reply.resource(
        request, bytes: latest.jpeg, type: "image/jpeg", etag: latest.etag, caching: .revalidate)
    case .multivariant:
      guard let snapshot = edge.snapshot else { return notReady(request) }
      return Reply.text(request, snapshot.multivariant, type: playlistType, caching: .seconds(60))
    case .media: return await playlist(request, camera: camera, query: query, context: context)
    case .plain: return await plainPlaylist(request, camera: camera, context: context)
    case .file(_, let name): return await file(request, camera: camera, named: name, context: context)
    default: return Reply.notFound(request)
    }
  }

  private func playlist(_ request: Request, camera: Camera, query: Substring, context: DoorContext) async -> Response {
    guard let newest = camera.edge.snapshot, let furthest = camera.edge.furthest else { return notReady(request) }
    let timeline = camera.settings.timeline
    do throws(BlockingReload.Refusal) {
      let reload = try BlockingReload(query: query)
      guard !reload.isEmpty else {
        // A plain request must not be kept for longer than the playlist stays the newest.
        let seconds = Int(timeline.part.count / Ticks.perSecond)
        return Reply.text(request, newest.media, type: playlistType, caching: .seconds(seconds))
      }
      let text = { (snapshot: PlaylistSnapshot, caching: Reply.Caching) in
        let playlist = reload.takesDelta ? snapshot.delta ?? snapshot.media : snapshot.media
        return Reply.text(
          request, playlist, type: playlistType, tellsTag: reload.sequence == nil, caching: caching)
      }
      let kept = Reply.Caching.seconds(6 * timeline.targetDuration)
      guard let target = try reload.target(newest: furthest.position, timeline: timeline) else {
        // Without a number the answer changes with each part, like that to a plain request.
        return text(furthest, reload.sequence == nil ? .seconds(Int(timeline.part.count / Ticks.perSecond)) : kept)
      }
      guard let place = waits.enter(context.client) else { return tooManyWait(request) }
      defer { withExtendedLifetime(place) {} }
      let (deadline, channel) = (ContinuousClock.now + (timeline.segment * 3).duration, context.channel)
      switch await camera.edge.wait(for: target, deadline: deadline, isWanted: { channel.isActive }) {
      case .published(let snapshot): return text(snapshot, kept)
      case .timedOut, .refused, .ended: return notReady(request)
      }
    } catch {
      return Reply.error(request, .badRequest, "badDirective", error.detail)
    }
  }

  /// The playlist for players that know no parts. The first who asks waits a moment for it to be made.
  private func plainPlaylist(_ request: Request, camera: Camera, context: DoorContext) async -> Response {
    guard let place = waits.enter(context.client) else { return tooManyWait(request) }
    defer { withExtendedLifetime(place) {} }
    let (deadline, channel) = (ContinuousClock.now + .seconds(10), context.channel)
    guard let playlist = await camera.plainPlaylist(deadline: deadline, isWanted: { channel.isActive }) else {
      return notReady(request)
    }
    let seconds = max(1, camera.settings.timeline.plain.targetDuration / 2)
    return Reply.text(request, playlist, type: playlistType, caching: .seconds(seconds))
  }

  private func file(_ request: Request, camera: Camera, named name: String, context: DoorContext) async -> Response {
    // The announcement is read before the media: a part that is published between the two is then found.
    let hinted = camera.edge.hinted(named: name)
    var bytes = camera.edge.media(named: name)
    if bytes == nil, let hinted {
      // The announced part may be asked for before it is there; the answer begins when it is complete.
      guard let place = waits.enter(context.client) else { return tooManyWait(request) }
      defer { withExtendedLifetime(place) {} }
      let (deadline, channel) = (
        ContinuousClock.now + (camera.settings.timeline.segment * 3).duration, context.channel
      )
      _ = await camera.edge.wait(for: hinted, deadline: deadline, isWanted: { channel.isActive })
      bytes = camera.edge.media(named: name)
      if bytes == nil { return notReady(request) }
    }
    guard let bytes else { return Reply.notFound(request) }
    return Reply.resource(
      request, bytes: bytes, type: "video/mp4", etag: "\"\(name.dropLast(4))\"",
      tellsTag: !SegmentName.isPart(name), caching: .forever)
  }

  private func tooManyWait(_ request: Request) -> Response {
    Reply.error(
      request, .serviceUnavailable, "tooManyWaiting",
      "too many requests from your address wait for what comes next; end some, or try again in a while",
      fields: [.retryAfter: "5"])
  }

  private func notReady(_ request: Request) -> Response {
    Reply.error(
      request, .serviceUnavailable, "notReady", "there is nothing new to send yet; try again",
      fields: [.retryAfter: "1"])
  }
}

private let playlistType = "application/vnd.apple.mpegurl"

extension HTTPField.Name {
  static let lastEventID = HTTPField.Name("Last-Event-ID")!
}
