import HTTPTypes
import Hummingbird
import Media
import NIOCore
import NIOHTTPTypes
import Station

/// Makes the answers of both doors.
enum Reply {
  /// How long and by whom an answer may be kept.
  enum Caching: Sendable {
    /// By nobody.
    case none
    /// Kept, but asked about each time.
    case revalidate
    /// So many seconds.
    case seconds(Int)
    /// For good: the name will never mean anything else.
    case forever

    var header: String {
      switch self {
      case .none: "no-store"
      case .revalidate: "no-cache"
      case .seconds(let seconds): "public, max-age=\(seconds)"
      case .forever: "public, max-age=31536000, immutable"
      }
    }
  }

  /// A resource in one form, with range and condition honoured.
  ///
  /// - Parameter tellsTag: whether the ETag and ranges are offered. They are honoured in any case; what is fetched whole
  ///   and once is better off without the bytes.
  static func resource(
    _ request: Request, bytes: ByteBuffer, type: String, etag: String, tellsTag: Bool = true, caching: Caching
  ) -> Response {
    var fields = HTTPFields()
    fields[.cacheControl] = caching.header
    if tellsTag { fields[.eTag] = etag }
    fields[.accessControlAllowOrigin] = "*"
    if RequestConditions.matches(request.headers, anyOf: [etag]) {
      return Response(status: .notModified, headers: fields)
    }
    fields[.contentType] = type
    if tellsTag { fields[.acceptRanges] = "bytes" }
    // Ranges are a matter of GET alone (RFC 9110, section 14.2).
    let range =
      request.method == .get
      ? RequestConditions.range(request.headers, length: bytes.readableBytes, etag: etag) : .whole
    switch range {
    case .whole:
      return answer(request, status: .ok, fields: fields, body: bytes)
    case .bytes(let range):
      fields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes.readableBytes)"
      let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
      return answer(request, status: .partialContent, fields: fields, body: slice)
    case .unsatisfiable:
      fields[.contentRange] = "bytes */\(bytes.readableBytes)"
      fields[.cacheControl] = Caching.none.header
      fields[.eTag] = nil
      return answer(request, status: .rangeNotSatisfiable, fields: fields, body: ByteBuffer())
    }
  }

  /// A text that goes out gzipped to those who take it.
  ///
  /// - Parameter tellsTag: whether the ETag is told; the answer to a blocking reload is never asked for again.
  static func text(
    _ request: Request, _ text: EncodedText, type: String, tellsTag: Bool = true, caching: Caching
  ) -> Response {
    let gzipEtag = String(text.etag.dropLast()) + "z\""
    let isGzipped = RequestConditions.acceptsGzip(request.headers)
    var fields = HTTPFields()
    fields[.cacheControl] = caching.header
    if tellsTag { fields[.eTag] = isGzipped ? gzipEtag : text.etag }
    fields[.accessControlAllowOrigin] = "*"
    fields[.vary] = "Accept-Encoding"
    if RequestConditions.matches(request.headers, anyOf: [text.etag, gzipEtag]) {
      return Response(status: .notModified, headers: fields)
    }
    fields[.contentType] = type
    if isGzipped { fields[.contentEncoding] = "gzip" }
    return answer(request, status: .ok, fields: fields, body: isGzipped ? text.gzipped : text.plain)
  }

  /// An error as one line of JSON: a word for programs, a sentence for people.
  static func error(
    _ request: Request, _ status: HTTPResponse.Status, _ code: String, _ detail: String, fields extra: HTTPFields = [:]
  ) -> Response {
    json(request, status, "{\"error\":\(code.jsonQuoted),\"detail\":\(detail.jsonQuoted)}", fields: extra)
  }

  /// One line of JSON that nobody keeps.
  static func json(
    _ request: Request, _ status: HTTPResponse.Status, _ json: String, fields extra: HTTPFields = [:]
  ) -> Response {
    var fields = extra
    fields[.cacheControl] = Caching.none.header
    fields[.contentType] = "application/json"
    fields[.accessControlAllowOrigin] = "*"
    return answer(request, status: status, fields: fields, body: ByteBuffer(string: json + "\n"))
  }

  /// The answer to a method that a resource does not have.
  static func wrongMethod(_ request: Request, allowed: String) -> Response {
    error(
      request, .methodNotAllowed, "wrongMethod", "\(request.method) is not possible here; use \(allowed)",
      fields: [.allow: allowed])
  }

  /// The answer where there is nothing.
  static func notFound(_ request: Request) -> Response {
    error(request, .notFound, "notFound", "there is nothing at this address")
  }

  /// An answer with its length; the body stays away from an answer to HEAD.
  static func answer(
    _ request: Request, status: HTTPResponse.Status, fields: HTTPFields, body: ByteBuffer
  ) -> Response {
    guard request.method == .head else {
      return Response(status: status, headers: fields, body: self.body(of: body))
    }
    var response = Response(status: status, headers: fields)
    response.headers[.contentLength] = "\(body.readableBytes)"
    return response
  }

  /// A body that is written in pieces where it is long: a reader that stops then holds one piece, also where TLS makes a
  /// copy of what is written.
  private static func body(of bytes: ByteBuffer) -> ResponseBody {
    let piece = 65_536
    guard bytes.readableBytes > 2 * piece else { return ResponseBody(byteBuffer: bytes) }
    return ResponseBody(contentLength: bytes.readableBytes) { writer in
      var rest = bytes
      while let next = rest.readSlice(length: min(piece, rest.readableBytes)), next.readableBytes > 0 {
        try await writer.write(next)
      }
      try await writer.finish(nil)
    }
  }

  /// The same answer as the last one on its connection, where a body may follow that nobody reads.
  static func closing(_ response: Response, channel: any Channel) -> Response {
    var response = response
    let body = response.body
    // Over HTTP/2 a request has a stream of its own, and the header is forbidden (RFC 9113, section 8.2.2).
    if channel.parent?.parent == nil { response.headers[.connection] = "close" }
    response.body = ResponseBody(contentLength: body.contentLength) { writer in
      try await body.write(Passing(writer: writer))
      channel.triggerUserOutboundEvent(LingeringCloseHandler.Begin(), promise: nil)
    }
    return response
  }

  /// Tells a client that waits with its body to send it (RFC 9110, section 10.1.1).
  static func invite(_ channel: any Channel) {
    channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
  }

  /// Whether a request announces a body.
  static func hasBody(_ request: Request) -> Bool {
    request.headers[.transferEncoding] != nil || (request.headers[.contentLength] ?? "0") != "0"
  }

  /// Hands a body's bytes on to a writer that is held by reference.
  private struct Passing: ResponseBodyWriter {
    var writer: any ResponseBodyWriter
    mutating func write(_ buffer: ByteBuffer) async throws { try await writer.write(buffer) }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
  }
}
