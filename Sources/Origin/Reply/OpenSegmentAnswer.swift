import Access
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Packager
import Station

/// The answer to a request for a segment that is being made: the parts that are there at once, each further part as it
/// is published, and the end with the segment.
///
/// The body is as long as the segment will be, so there is no Content-Length, and a Range is not honoured (RFC 9110,
/// section 14.2). A cut body has no end in chunked encoding (RFC 9112, section 8) and is reset over HTTP/2: no cache
/// takes it for the whole.
struct OpenSegmentAnswer: Sendable {
  /// The segment, nothing of it read yet.
  let segment: OpenSegment
  /// The file name of the segment.
  let name: String
  /// How long a part may take to come.
  let patience: Duration
  /// The viewer's connection; when it closes the answer ends.
  let channel: any Channel
  /// When the viewer's right to it ends; `nil` where it does not.
  let end: ContinuousClock.Instant?

  /// The body breaks off here, which the writer of the body tells the client by breaking the connection off.
  private struct Cut: Error {}

  /// The answer.
  ///
  /// - Parameter place: the place of one who waits, held until the answer ends.
  func response(place: WaitLimit.Place) -> Response {
    var fields = Self.links(from: name)
    fields[.contentType] = "video/mp4"
    fields[.cacheControl] = Reply.Caching.forever.header
    fields[.eTag] = Reply.mediaTag(name)
    fields[.accessControlAllowOrigin] = "*"
    // Proxies that hold an answer back until it is whole would hold the picture back (nginx, `proxy_buffering`).
    fields[.accelBuffering] = "no"
    return Response(
      status: .ok, headers: fields,
      body: ResponseBody { writer in
        try await read { bytes in try await Reply.write(bytes, to: &writer) }
        try await writer.finish(nil)
        withExtendedLifetime(place) {}
      })
  }

  /// WaitLimit until the segment is whole; `false` where it does not become so.
  func isWhole() async -> Bool { (try? await read { _ in }) != nil }

  private func read(_ take: (ByteBuffer) async throws -> Void) async throws {
    var segment = segment
    while end.map({ .now < $0 }) ?? true {
      let deadline = min(.now + patience, end ?? .now + patience)
      switch await segment.read(deadline: deadline, isWanted: { [channel] in channel.isActive }) {
      case .more(let bytes): try await take(bytes)
      case .last(let bytes): return try await take(bytes)
      case .cut: throw Cut()
      }
    }
    throw Cut()
  }

  /// The fields that name the segment that follows, as a link (RFC 8288): whoever follows it needs no playlist. Those
  /// of a loop have none, because what comes after a name that comes again is not always the same.
  static func links(from file: String) -> HTTPFields {
    guard let next = SegmentName(file: file)?.following else { return [:] }
    return [.link: "<\(next.file)>; rel=\"next\"", .accessControlExposeHeaders: "Link"]
  }
}

extension HTTPField.Name {
  static let link = HTTPField.Name("Link")!
  static let accelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
