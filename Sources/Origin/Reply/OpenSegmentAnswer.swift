import Access
import HTTPTypes
import Hummingbird
import Media
import NIOCore
import Packager
import Station

/// The answer to a request for a segment that is being made: the existing parts at once, each further part when it is
/// published, and the end with the segment.
///
/// The body is as long as the segment will be, so there is no Content-Length, and a Range is ignored (RFC 9110, section
/// 14.2). A body that is cut off has no end in chunked encoding (RFC 9112, section 8) and is reset over HTTP/2, so no
/// cache takes it for the complete segment.
struct OpenSegmentAnswer: Sendable {
  /// The segment, nothing of it read yet.
  let segment: OpenSegment
  /// The file name of the segment.
  let name: String
  /// The most time for the next part.
  let patience: Duration
  /// The viewer's connection; when it closes the answer ends.
  let channel: any Channel
  /// When the viewer's right to it ends; `nil` if it does not.
  let end: ContinuousClock.Instant?

  /// The body ends too early; the writer of the body tells the client by closing the connection.
  private struct Cut: Error {}

  /// The answer.
  ///
  /// - Parameter place: the place of a held request, kept until the answer ends.
  func response(place: WaitLimit.Place) -> Response {
    var fields = Self.links(from: name)
    fields[.contentType] = "video/mp4"
    fields[.cacheControl] = Reply.Caching.forever.header
    fields[.eTag] = Reply.mediaTag(name)
    fields[.accessControlAllowOrigin] = "*"
    // Proxies that buffer an answer until it is complete would delay the picture (nginx, `proxy_buffering`).
    fields[.accelBuffering] = "no"
    return Response(
      status: .ok, headers: fields,
      body: ResponseBody { writer in
        try await read { bytes in try await Reply.write(bytes, to: &writer) }
        try await writer.finish(nil)
        withExtendedLifetime(place) {}
      })
  }

  /// Suspends until the segment is complete; `false` if it never is.
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

  /// The fields with a link to the next segment (RFC 8288): a client that follows it needs no playlist. A loop's
  /// segments have none, because what follows a repeated name is not always the same.
  static func links(from file: String) -> HTTPFields {
    guard let next = SegmentName(file: file)?.following else { return [:] }
    return [.link: "<\(next.file)>; rel=\"next\"", .accessControlExposeHeaders: "Link"]
  }
}

extension HTTPField.Name {
  static let link = HTTPField.Name("Link")!
  static let accelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
