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
  private let camera: LiveEdge
  private let segment: OpenSegment
  private let name: String
  private let patience: Duration
  private let channel: any Channel
  private let end: ContinuousClock.Instant?

  /// The answer for a segment of which nothing is read yet.
  ///
  /// - Parameters:
  ///   - name: its file name.
  ///   - patience: how long a part may take to come.
  ///   - channel: the viewer's connection; when it closes the answer ends.
  ///   - end: when the viewer's right to it ends; `nil` where it does not.
  init(
    _ segment: OpenSegment, of camera: LiveEdge, name: String, patience: Duration, channel: any Channel,
    end: ContinuousClock.Instant?
  ) {
    (self.segment, self.camera, self.name) = (segment, camera, name)
    (self.patience, self.channel, self.end) = (patience, channel, end)
  }

  /// The body breaks off here, which the writer of the body tells the client by breaking the connection off.
  private struct Cut: Error {}

  /// The answer, which begins with the segment's first part; `nil` where it does not come.
  ///
  /// - Parameter place: the place of one who waits, held until the answer ends.
  func response(place: WaitLimit.Place) async -> Response? {
    var segment = segment
    let first = await read(&segment)
    if case .cut = first { return nil }
    let fields = Self.head(of: name, date: camera.date(ofSegment: name))
    return Response(
      status: .ok, headers: fields,
      body: ResponseBody { [segment] writer in
        var (segment, reading) = (segment, first)
        loop: while true {
          switch reading {
          case .more(let bytes): try await Reply.write(bytes, to: &writer)
          case .last(let bytes):
            try await Reply.write(bytes, to: &writer)
            break loop
          case .cut: throw Cut()
          }
          reading = await read(&segment)
        }
        try await writer.finish(nil)
        withExtendedLifetime(place) {}
      })
  }

  /// The fields of the answer. It has no length.
  static func head(of name: String, date: WallTime?) -> HTTPFields {
    var fields = fields(of: name, date: date)
    fields[.contentType] = "video/mp4"
    fields[.cacheControl] = Reply.Caching.forever.header
    fields[.eTag] = Reply.mediaTag(name)
    fields[.accessControlAllowOrigin] = "*"
    // Proxies that hold an answer back until it is whole would hold the picture back (nginx, `proxy_buffering`).
    fields[.xAccelBuffering] = "no"
    return fields
  }

  /// Waits until the segment is whole; `false` where it does not become so.
  func isWhole() async -> Bool {
    var segment = segment
    while true {
      switch await read(&segment) {
      case .more: continue
      case .last: return true
      case .cut: return false
      }
    }
  }

  private func read(_ segment: inout OpenSegment) async -> OpenSegment.Reading {
    let now = ContinuousClock.now
    if let end, end <= now { return .cut }
    let deadline = min(now + patience, end ?? now + patience)
    return await segment.read(deadline: deadline, isWanted: { [channel] in channel.isActive })
  }

  /// What an answer says of a segment besides: when it begins, and as a link (RFC 8288) the segment that follows. Whoever
  /// follows it needs no playlist. Those of a loop have neither, because a name that comes again is not always followed
  /// by the same, and answers to it lie in caches.
  static func fields(of file: String, date: WallTime?) -> HTTPFields {
    guard let next = SegmentName(file: file)?.following else { return [:] }
    var fields: HTTPFields = [.link: "<\(next.file)>; rel=\"next\""]
    if let date { fields[.programDateTime] = date.iso8601 }
    return fields
  }
}

extension HTTPField.Name {
  static let link = HTTPField.Name("Link")!
  static let programDateTime = HTTPField.Name("Program-Date-Time")!
}
