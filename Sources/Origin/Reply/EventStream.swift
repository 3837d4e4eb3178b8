import Access
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Station

/// Server-sent events of one camera for one listener (WHATWG HTML, section 9.2).
///
/// A listener keeps only the id of the last event that it was sent. Events are fetched from the camera's edge, which
/// keeps the newest few, so a listener that is slow misses some and costs no memory.
struct EventStream: Sendable {
  /// How long the line may be silent before a comment is sent that keeps it open.
  static let heartbeat = Duration.seconds(15)

  private let edge: LiveEdge
  private let last: Int64
  private let channel: any Channel
  private let end: ContinuousClock.Instant?
  private let place: WaitLimit.Place?

  /// A stream of the events after `Last-Event-ID`, or of those to come where there is none.
  ///
  /// - Parameters:
  ///   - channel: the listener's connection; when it closes the stream ends.
  ///   - end: when the listener's right to it ends.
  ///   - place: is held until the stream ends.
  init(
    edge: LiveEdge, lastEventID: String?, channel: any Channel, end: ContinuousClock.Instant? = nil,
    place: WaitLimit.Place? = nil
  ) {
    self.end = end
    self.place = place
    self.edge = edge
    self.channel = channel
    let newest = edge.newestEventID
    // An id from the future comes from another life of the process, with another clock.
    last = min(lastEventID.flatMap { Int64($0) } ?? newest, newest)
  }

  /// The answer, which lasts until the listener goes or the stream ends.
  func response(_ request: Request) -> Response {
    let fields: HTTPFields = [
      .contentType: "text/event-stream", .cacheControl: "no-store", .accessControlAllowOrigin: "*",
    ]
    if request.method == .head { return Response(status: .ok, headers: fields) }
    return Response(
      status: .ok, headers: fields,
      body: ResponseBody { writer in
        var last = last
        try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
        while !Task.isCancelled, channel.isActive, end.map({ .now < $0 }) ?? true,
          let events = await edge.events(
            after: last, deadline: min(.now + Self.heartbeat, end ?? .now + Self.heartbeat),
            isWanted: { [channel] in channel.isActive })
        {
          try await writer.write(events.isEmpty ? ByteBuffer(string: ":\n\n") : Self.text(of: events))
          last = events.last?.id ?? last
        }
        try await writer.finish(nil)
        withExtendedLifetime(place) {}
      })
  }

  static func text(of events: [CameraEvent]) -> ByteBuffer {
    var text = ByteBuffer()
    for event in events {
      text.writeString("id: \(event.id)\nevent: \(event.kind.rawValue)\ndata: \(event.json)\n\n")
    }
    return text
  }
}
