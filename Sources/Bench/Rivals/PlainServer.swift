import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import Logging
import Media
import NIOCore
import NIOPosix
import NIOSSL

/// The ordinary web server for the other ways: the header fields of nginx, files of a folder with ETag, Last-Modified
/// and gzipped playlists, the camera's newest JPEG, and Motion JPEG.
struct PlainServer: Sendable {
  /// Files from here are served below `/hls/`.
  let folder: URL
  let hub: StillHub
  let tls: TLSConfiguration?

  /// Serves on a free port until the task is cancelled.
  func run(onListening: @escaping @Sendable (_ port: Int) -> Void) async throws {
    var logger = Logger(label: "bench.plain")
    logger.logLevel = .critical  // Its connections are cut at the end; that is expected.
    let server: HTTPServerBuilder = if let tls { try .http2Upgrade(tlsConfiguration: tls) } else { .http1() }
    let application = Application(
      responder: Responder(folder: folder, hub: hub, isHTTP2: tls != nil), server: server,
      configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0), serverName: "nginx"),
      onServerRunning: { onListening($0.localAddress?.port ?? 0) }, logger: logger)
    try await application.run()
  }

  private struct Context: InitializableFromSource {
    init(source: ApplicationRequestContextSource) {}
  }

  private struct Responder: HTTPResponder {
    let folder: URL
    let hub: StillHub
    let isHTTP2: Bool

    func respond(to request: Request, context: Context) async -> Response {
      let path = (request.head.path ?? "/").prefix { $0 != "?" }
      switch path {
      case "/still.jpg":
        guard let (number, jpeg) = hub.current else { return Response(status: .notFound) }
        // Files that cameras upload change their time each time.
        return answer(request, jpeg, type: "image/jpeg", modified: Date(), tag: "\(String(number, radix: 16))")
      case "/motion.mjpeg": return motionJPEG()
      default: return await file(request, path: path)
      }
    }

    private func file(_ request: Request, path: Substring) async -> Response {
      guard path.hasPrefix("/hls/"), !path.contains("..") else { return Response(status: .notFound) }
      let file = folder.appending(path: String(path.dropFirst(5)))
      let found = try? await NIOThreadPool.singleton.runIfActive { () -> (Data, Date) in
        let date = try FileManager.default.attributesOfItem(atPath: file.path)[.modificationDate] as? Date
        return (try Data(contentsOf: file), date ?? Date())
      }
      guard let (bytes, date) = found else { return Response(status: .notFound) }
      let tag = String(Int(date.timeIntervalSince1970 * 1000), radix: 16)
      return answer(request, ByteBuffer(bytes: bytes), type: Self.type(of: file), modified: date, tag: tag)
    }

    private static func type(of file: URL) -> String {
      switch file.pathExtension {
      case "m3u8": "application/vnd.apple.mpegurl"
      case "ts": "video/mp2t"
      case "jpg": "image/jpeg"
      default: "video/mp4"
      }
    }

    private func answer(_ request: Request, _ body: ByteBuffer, type: String, modified: Date, tag: String) -> Response {
      let isText = type.hasSuffix("mpegurl")
      let etag = "\(isText ? "W/" : "")\"\(tag)-\(String(body.readableBytes, radix: 16))\""
      var fields = HTTPFields()
      fields[.contentType] = type
      fields[.lastModified] = Self.date(modified)
      if !isHTTP2 { fields[.connection] = "keep-alive" }
      if isText { fields[.vary] = "Accept-Encoding" }
      fields[.eTag] = etag
      if request.headers[.ifNoneMatch] == etag {
        fields[.contentType] = nil
        return Response(status: .notModified, headers: fields)
      }
      if isText, request.headers[.acceptEncoding]?.contains("gzip") == true {
        fields[.contentEncoding] = "gzip"
        let zipped = body.gzipped(level: 1)
        // nginx compresses while it sends and so does not know the length: a chunked answer.
        return Response(
          status: .ok, headers: fields,
          body: ResponseBody { writer in
            try await writer.write(zipped)
            try await writer.finish(nil)
          })
      }
      fields[.acceptRanges] = "bytes"
      return Response(status: .ok, headers: fields, body: ResponseBody(byteBuffer: body))
    }

    private func motionJPEG() -> Response {
      let stills = hub.stills()
      var fields: HTTPFields = [
        .contentType: "multipart/x-mixed-replace; boundary=frame", .cacheControl: "no-store",
      ]
      if !isHTTP2 { fields[.connection] = "keep-alive" }
      return Response(
        status: .ok, headers: fields,
        body: ResponseBody { writer in
          for await jpeg in stills {
            var part = ByteBuffer(
              string: "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: \(jpeg.readableBytes)\r\n\r\n")
            part.writeImmutableBuffer(jpeg)
            part.writeString("\r\n")
            try await writer.write(part)
          }
          try await writer.finish(nil)
        })
    }

    /// A date in the form of HTTP (RFC 9110, section 5.6.7).
    private static func date(_ date: Date) -> String {
      var seconds = time_t(date.timeIntervalSince1970)
      var parts = tm()
      gmtime_r(&seconds, &parts)
      var text = [CChar](repeating: 0, count: 40)
      let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
      return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }
}
