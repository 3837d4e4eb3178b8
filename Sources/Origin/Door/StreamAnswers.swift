import Access
import Hummingbird
import Media
import NIOCore
import Packager
import Station

/// The public listener's answers for a camera's stream: playlists, segments and parts, where they are not answered on
/// the connection's event loop.
extension PublicDoor {
  /// A playlist or media: at once, or when what it waits for is published.
  func stream(
    _ request: Request, _ resource: StreamRequest.Resource, camera: Camera, pass: ViewerPass, context: DoorContext
  ) async -> Response {
    let stream = StreamRequest(camera: camera, resource: resource, asked: AskedForm(request))
    let channel = context.channel
    switch stream.begin() {
    case .answer(let answer): return Response(answer)
    case .wait(let wait):
      guard let place = waits.enter(context.client) else { return Response(stream.tooManyWait) }
      defer { withExtendedLifetime(place) {} }
      let outcome = await camera.edge.wait(
        for: wait.position, deadline: .now + wait.patience, isWanted: { channel.isActive })
      return Response(stream.answer(after: wait, outcome))
    case .grow(let open):
      guard case .file(let name) = resource, let place = waits.enter(context.client) else {
        return Response(stream.tooManyWait)
      }
      let end = pass.secondsLeft(.now).map { ContinuousClock.now + .seconds($0) }
      let growing = OpenSegmentAnswer(
        open, of: camera.edge, name: name, patience: stream.patience, channel: channel, end: end)
      if request.method == .get { return await growing.response(place: place) ?? Response(stream.notReady) }
      // The length is known when the segment is whole.
      let isWhole = await growing.isWhole()
      withExtendedLifetime(place) {}
      guard isWhole else { return Response(stream.notReady) }
      return Response(camera.edge.media(named: name).map { stream.media(name, $0) } ?? stream.notFound)
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
    return Response(StreamRequest.plain(AskedForm(request), playlist, of: camera))
  }
}
