import Access
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Station

/// Server-sent events of one camera for one listener (WHATWG HTML, section 9.2).
///
/// A listener only keeps the id of the last event that it got. Events are read from the camera's feed, which keeps the
/// newest few, so a slow listener misses some and costs no memory.
struct EventStream: Sendable {
  /// How long the stream can be silent before a comment is sent to keep it open.
  static let heartbeat = Duration.seconds(15)

  private let feed: EventFeed
  private let last: Int64
  private let only: Set<CameraEvent.Kind>?
  private let channel: any Channel
  private let end: ContinuousClock.Instant?
  private let place: WaitLimit.Place?
  private let isAdmitted: @Sendable () -> Bool

  /// A stream of the events after `Last-Event-ID`, or of all future ones without it.
  ///
  /// - Parameters:
  ///   - only: the kinds that are sent; `nil` for all.
  ///   - channel: the listener's connection; the stream ends when it closes.
  ///   - end: when the listener's right to it ends.
  ///   - place: is kept until the stream ends.
  ///   - isAdmitted: whether the listener still has a right to it; asked before each write.
  init(
    feed: EventFeed, lastEventID: String?, only: Set<CameraEvent.Kind>? = nil, channel: any Channel,
    end: ContinuousClock.Instant? = nil, place: WaitLimit.Place? = nil,
    isAdmitted: @escaping @Sendable () -> Bool = { true }
  ) {
    self.only = only
    self.end = end
    self.place = place
    self.isAdmitted = isAdmitted
    self.feed = feed
    self.channel = channel
    let newest = feed.newestID
    // An id from the future comes from an earlier process with another clock.
    last = min(lastEventID.flatMap { Int64($0) } ?? newest, newest)
  }

  /// The answer, which lasts until the listener has gone or the stream ends.
  func response(_ request: Request) -> Response {
    let fields: HTTPFields = [
      .contentType: "text/event-stream",
      // A proxy that buffers or packs an answer without an end would keep the events for good.
      .cacheControl: "no-store, no-transform", .xAccelBuffering: "no", .accessControlAllowOrigin: "*",
    ]
    if request.method == .head { return Response(status: .ok, headers: fields) }
    return Response(
      status: .ok, headers: fields,
      body: ResponseBody { writer in
        var (last, wroteAt) = (last, ContinuousClock.now)
        try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
        while !Task.isCancelled, channel.isActive, end.map({ .now < $0 }) ?? true,
          let events = await feed.events(
            after: last, deadline: min(.now + Self.heartbeat, end ?? .now + Self.heartbeat),
            isWanted: { [channel] in channel.isActive }),
          isAdmitted()
        {
          let wanted = only.map { only in events.filter { only.contains($0.kind) } } ?? events
          if !wanted.isEmpty {
            try await writer.write(Self.text(of: wanted))
            wroteAt = .now
          } else if events.isEmpty || .now - wroteAt >= Self.heartbeat {
            try await writer.write(ByteBuffer(string: ":\n\n"))
            wroteAt = .now
          }
          last = events.last?.id ?? last
        }
        try await writer.finish(nil)
        withExtendedLifetime(place) {}
      })
  }

  /// The kinds that a query asks for, `only=wave,source`; `nil` where it does not say, or names none that there is.
  static func kinds(_ query: Substring) -> Set<CameraEvent.Kind>? {
    let names = Query.value("only", in: query)?.split(separator: ",") ?? []
    let kinds = Set(names.compactMap { CameraEvent.Kind(rawValue: String($0)) })
    return kinds.isEmpty ? nil : kinds
  }

  static func text(of events: [CameraEvent]) -> ByteBuffer {
    var text = ByteBuffer()
    for event in events {
      text.writeString("id: \(event.id)\nevent: \(event.kind.rawValue)\ndata: \(event.json)\n\n")
    }
    return text
  }
}
