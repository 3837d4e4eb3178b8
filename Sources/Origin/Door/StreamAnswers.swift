import Access
import Hummingbird
import Media
import NIOCore
import Packager
import Station

/// The public listener's answers for a camera's stream: playlists, segments and parts.
extension PublicDoor {
  /// The content type of playlists (RFC 8216, section 4).
  static let playlistType = "application/vnd.apple.mpegurl"

  /// The media playlist with parts, at once or when it lists what a blocking reload asks for (rfc8216bis, section
  /// 6.2.5.2).
  func playlist(_ request: Request, camera: Camera, query: Substring, context: DoorContext) async -> Response {
    guard let newest = camera.edge.snapshot, let furthest = camera.edge.furthest else { return notReady(request) }
    let timeline = camera.settings.timeline
    do throws(BlockingReload.Refusal) {
      let reload = try BlockingReload(query: query)
      guard !reload.isEmpty else {
        // A plain request must not be cached longer than the playlist is the newest.
        let seconds = Int(timeline.part.count / Ticks.perSecond)
        var response = Reply.text(request, newest.media, type: Self.playlistType, caching: .seconds(seconds))
        response.headers[.timingAllowOrigin] = "*"
        return response
      }
      let text = { (snapshot: PlaylistSnapshot, caching: Reply.Caching) in
        let playlist = reload.takesDelta ? snapshot.delta ?? snapshot.media : snapshot.media
        return Reply.text(
          request, playlist, type: Self.playlistType, tellsTag: reload.sequence == nil, caching: caching)
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

  /// The playlist for players that ignore parts. The first request waits a moment for it to be made.
  func plainPlaylist(_ request: Request, camera: Camera, context: DoorContext) async -> Response {
    guard let place = waits.enter(context.client) else { return tooManyWait(request) }
    defer { withExtendedLifetime(place) {} }
    let (deadline, channel) = (ContinuousClock.now + .seconds(10), context.channel)
    guard let playlist = await camera.plainPlaylist(deadline: deadline, isWanted: { channel.isActive }) else {
      return notReady(request)
    }
    let seconds = max(1, camera.settings.timeline.plain.targetDuration / 2)
    return Reply.text(request, playlist, type: Self.playlistType, caching: .seconds(seconds))
  }

  /// A segment, a part or an init segment; one that is being made is answered as it grows, a hinted part when it is
  /// complete.
  func file(
    _ request: Request, camera: Camera, named name: String, pass: ViewerPass, context: DoorContext
  ) async -> Response {
    // What is hinted is read before the media: what is published between the two is then found.
    let hinted = camera.edge.hinted(named: name)
    let open = camera.edge.openSegment(named: name)
    let patience = (camera.settings.timeline.segment * 3).duration
    var bytes = camera.edge.media(named: name)
    if bytes == nil, let open {
      guard let place = waits.enter(context.client) else { return tooManyWait(request) }
      let end = pass.secondsLeft(.now).map { ContinuousClock.now + .seconds($0) }
      let answer = OpenSegmentAnswer(
        open, of: camera.edge, name: name, patience: patience, channel: context.channel, end: end)
      if request.method == .get { return await answer.response(place: place) ?? notReady(request) }
      // The length is known when the segment is whole.
      guard await answer.isWhole() else { return notReady(request) }
      withExtendedLifetime(place) {}
      bytes = camera.edge.media(named: name)
    }
    if bytes == nil, let hinted {
      // The hinted part can be requested before it exists; the answer begins when it is complete.
      guard let place = waits.enter(context.client) else { return tooManyWait(request) }
      defer { withExtendedLifetime(place) {} }
      let channel = context.channel
      let outcome = await camera.edge.wait(for: hinted, deadline: .now + patience, isWanted: { channel.isActive })
      bytes = camera.edge.media(named: name)
      if bytes == nil {
        // If its segment ended before it, or was withdrawn, it never comes.
        if case .published = outcome { return Reply.notFound(request) }
        return notReady(request)
      }
    }
    guard let bytes else { return Reply.notFound(request) }
    var response = Reply.resource(
      request, bytes: bytes, type: "video/mp4", etag: Reply.mediaTag(name), tellsTag: !SegmentName.isPart(name),
      caching: .forever)
    if response.status.kind == .successful {
      response.headers.append(
        contentsOf: OpenSegmentAnswer.fields(of: name, date: camera.edge.date(ofSegment: name)))
    }
    return response
  }
}
