import HTTPTypes
import Hummingbird
import Media
import NIOCore
import NIOHTTPTypes
import Station

/// Makes the answers of both listeners.
enum Reply {
  /// The most bytes that are written at once.
  private static let piece = 65_536

  /// How long an answer can be cached, and by whom.
  enum Caching: Sendable {
    /// Not at all.
    case none
    /// Cached, but validated each time.
    case revalidate
    /// For this many seconds.
    case seconds(Int)
    /// For ever: the name never has another content.
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

  /// A resource in one form, with ranges and conditions.
  ///
  /// - Parameter tellsTag: whether the ETag and ranges are offered. They work in any case; for what is fetched as a
  ///   whole and once, the bytes are saved.
  static func resource(
    _ request: Request, bytes: ByteBuffer, type: String, etag: String, tellsTag: Bool = true, caching: Caching
  ) -> Response {
    Response(resource(AskedForm(request), bytes: bytes, type: type, etag: etag, tellsTag: tellsTag, caching: caching))
  }

  /// The same for every way.
  static func resource(
    _ asked: AskedForm, bytes: ByteBuffer, type: String, etag: String, tellsTag: Bool = true, caching: Caching
  ) -> WholeAnswer {
    var fields = HTTPFields()
    fields[.cacheControl] = caching.header
    if tellsTag { fields[.eTag] = etag }
    fields[.accessControlAllowOrigin] = "*"
    if RequestConditions.matches(asked.fields, anyOf: [etag]) {
      return WholeAnswer(bodiless: .notModified, fields: fields)
    }
    fields[.contentType] = type
    if tellsTag { fields[.acceptRanges] = "bytes" }
    // Ranges apply only to GET (RFC 9110, section 14.2).
    let range =
      asked.method == .get
      ? RequestConditions.range(asked.fields, length: bytes.readableBytes, etag: etag) : .whole
    switch range {
    case .whole:
      return WholeAnswer(asked, status: .ok, fields: fields, body: bytes)
    case .bytes(let range):
      fields[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes.readableBytes)"
      let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer()
      return WholeAnswer(asked, status: .partialContent, fields: fields, body: slice)
    case .unsatisfiable:
      fields[.contentRange] = "bytes */\(bytes.readableBytes)"
      fields[.cacheControl] = Caching.none.header
      fields[.eTag] = nil
      return WholeAnswer(asked, status: .rangeNotSatisfiable, fields: fields, body: ByteBuffer())
    }
  }

  /// A text that is sent compressed to clients that accept it.
  ///
  /// - Parameter tellsTag: whether the ETag is sent; the answer to a blocking reload is never requested again.
  static func text(
    _ request: Request, _ text: EncodedText, type: String, tellsTag: Bool = true, caching: Caching
  ) -> Response {
    Response(self.text(AskedForm(request), text, type: type, tellsTag: tellsTag, caching: caching))
  }

  /// The same for every way.
  static func text(
    _ asked: AskedForm, _ text: EncodedText, type: String, tellsTag: Bool = true, caching: Caching
  ) -> WholeAnswer {
    let form = TextForm.chosen(asked.fields, of: text)
    var fields = HTTPFields()
    fields[.cacheControl] = caching.header
    if tellsTag { fields[.eTag] = form.etag }
    fields[.accessControlAllowOrigin] = "*"
    fields[.vary] = form.vary
    if let etag = TextForm.known(text, to: asked.fields, chosen: form.etag) {
      if tellsTag { fields[.eTag] = etag }
      return WholeAnswer(bodiless: .notModified, fields: fields)
    }
    fields[.contentType] = type
    if let coding = form.coding { fields[.contentEncoding] = coding }
    if let match = form.useAsDictionary { fields[.useAsDictionary] = match }
    return WholeAnswer(asked, status: .ok, fields: fields, body: form.bytes)
  }

  /// An error as one line of JSON: a word for programs and a sentence for people.
  static func error(
    _ request: Request, _ status: HTTPResponse.Status, _ code: String, _ detail: String, fields extra: HTTPFields = [:]
  ) -> Response {
    Response(error(AskedForm(request), status, code, detail, fields: extra))
  }

  /// The same for every way.
  static func error(
    _ asked: AskedForm, _ status: HTTPResponse.Status, _ code: String, _ detail: String, fields extra: HTTPFields = [:]
  ) -> WholeAnswer {
    json(asked, status, "{\"error\":\(code.jsonQuoted),\"detail\":\(detail.jsonQuoted)}", fields: extra)
  }

  /// One line of JSON that is not cached.
  static func json(
    _ request: Request, _ status: HTTPResponse.Status, _ json: String, fields extra: HTTPFields = [:]
  ) -> Response {
    Response(self.json(AskedForm(request), status, json, fields: extra))
  }

  /// The same for every way.
  static func json(
    _ asked: AskedForm, _ status: HTTPResponse.Status, _ json: String, fields extra: HTTPFields = [:]
  ) -> WholeAnswer {
    var fields = extra
    fields[.cacheControl] = Caching.none.header
    fields[.contentType] = "application/json"
    fields[.accessControlAllowOrigin] = "*"
    return WholeAnswer(asked, status: status, fields: fields, body: ByteBuffer(string: json + "\n"))
  }

  /// The answer to a method that a resource does not have.
  static func wrongMethod(_ request: Request, allowed: [HTTPRequest.Method]) -> Response {
    let use = allowed.map(\.rawValue).joined(separator: ", ")
    return error(
      request, .methodNotAllowed, "wrongMethod", "\(request.method) is not possible here; use \(use)",
      fields: [.allow: "\(use), OPTIONS"])
  }

  /// What is said where there is nothing.
  static let nothingThere = "there is nothing at this address"

  /// The answer where there is nothing.
  ///
  /// - Parameter target: what was asked for, where the address itself may say what went wrong.
  static func notFound(_ request: Request, _ target: RequestTarget? = nil) -> Response {
    guard let right = target?.withoutEmptySegments, right.utf8.count <= 200 else {
      return error(request, .notFound, "notFound", nothingThere)
    }
    return error(
      request, .notFound, "notFound",
      "there are two slashes side by side in this address; leave one out, as in \(right), and see to it that the base "
        + "address in your settings does not end with the slash that the path begins with")
  }

  /// An answer with its length; an answer to HEAD has no body.
  static func answer(
    _ request: Request, status: HTTPResponse.Status, fields: HTTPFields, body: ByteBuffer
  ) -> Response {
    Response(WholeAnswer(AskedForm(request), status: status, fields: fields, body: body))
  }

  /// A body that is written in pieces if it is long: a client that stops reading then keeps one piece in memory, also
  /// if TLS copies what is written.
  static func body(of bytes: ByteBuffer) -> ResponseBody {
    guard bytes.readableBytes > 2 * piece else { return ResponseBody(byteBuffer: bytes) }
    return ResponseBody(contentLength: bytes.readableBytes) { writer in
      try await write(bytes, to: &writer)
      try await writer.finish(nil)
    }
  }

  /// Writes bytes in pieces; nothing if there are none.
  static func write(_ bytes: ByteBuffer, to writer: inout any ResponseBodyWriter) async throws {
    var rest = bytes
    while let next = rest.readSlice(length: min(piece, rest.readableBytes)), next.readableBytes > 0 {
      try await writer.write(next)
    }
  }

  /// The ETag of a media file, whose name is never used again.
  static func mediaTag(_ name: String) -> String { "\"\(name.dropLast(4))\"" }

  /// The same answer as the last one on its connection, if a body may follow that is not read.
  static func closing(_ response: Response, channel: any Channel) -> Response {
    var response = response
    let body = response.body
    // Over HTTP/2 a request has its own stream, and the header is forbidden (RFC 9113, section 8.2.2).
    if channel.parent?.parent == nil { response.headers[.connection] = "close" }
    response.body = ResponseBody(contentLength: body.contentLength) { writer in
      try await body.write(Passing(writer: writer))
      channel.triggerUserOutboundEvent(LingeringCloseHandler.Begin(), promise: nil)
    }
    return response
  }

  /// Tells a client that waits before it sends its body to send it (RFC 9110, section 10.1.1).
  static func invite(_ channel: any Channel) {
    channel.writeAndFlush(HTTPResponsePart.head(HTTPResponse(status: .continue)), promise: nil)
  }

  /// Whether a request has a body.
  static func hasBody(_ request: Request) -> Bool {
    request.headers[.transferEncoding] != nil || (request.headers[.contentLength] ?? "0") != "0"
  }

  /// Passes a body's bytes to a writer that is held by reference.
  private struct Passing: ResponseBodyWriter {
    var writer: any ResponseBodyWriter
    mutating func write(_ buffer: ByteBuffer) async throws { try await writer.write(buffer) }
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
  }
}

extension HTTPField.Name {
  /// Tells nginx whether to keep an answer back until it is complete.
  static let xAccelBuffering = HTTPField.Name("X-Accel-Buffering")!
}
