import HTTPTypes
import Hummingbird
import NIOCore
import Records

/// Counts the bytes of answers of the public address: the head as HTTP/1.1 writes it, and what is written of the body.
/// The framing of chunks, HTTP/2's packing of heads and TLS are not counted.
enum SentCounting {
  /// The bytes of a head besides its fields: the status line, the date and the empty line.
  private static let frame = "HTTP/1.1 200 \r\n\r\n".utf8.count + "date: Sun, 29 Nov 2026 22:50:00 GMT\r\n".utf8.count
  /// The most bytes of a body that is handed over at once.
  private static let whole = 131_072

  /// The same answer, which counts itself while it is written.
  ///
  /// - Parameter add: gets the bytes, from any thread and in several pieces.
  static func counted(_ response: Response, _ add: @escaping @Sendable (Int) -> Void) -> Response {
    var head = frame + response.status.reasonPhrase.utf8.count
    for field in response.headers { head += field.name.rawName.utf8.count + field.value.utf8.count + 4 }
    let body = response.body
    if let length = body.contentLength, length <= whole {
      add(head + length)
      return response
    }
    add(head)
    var response = response
    response.body = ResponseBody(contentLength: body.contentLength) { writer in
      try await body.write(CountingWriter(writer: writer, add: add))
    }
    return response
  }

  private struct CountingWriter: ResponseBodyWriter {
    var writer: any ResponseBodyWriter
    let add: @Sendable (Int) -> Void

    mutating func write(_ buffer: ByteBuffer) async throws {
      let count = buffer.readableBytes
      try await writer.write(buffer)
      add(count)
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
  }
}

extension PublicRoute {
  /// What the bytes of its answer are.
  var kind: AnswerKind {
    switch self {
    case .multivariant, .media, .plain: .playlist
    case .file: .media
    case .latest, .photo: .picture
    case .events: .event
    case .home, .withoutSlash, .page, .element, .icon, .sample, .sampleWithoutSlash, .asset: .page
    case .wave, .seen, .about, .photos, .embedding, .health, .readiness: .other
    }
  }
}
