import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import WebFiles

/// The loopback server of the page that browsers measure with: the page, what it shows, and where it reports.
package struct LatencyPage: Sendable {
  /// One way of showing the stream on the page.
  package struct Way: Codable, Sendable {
    /// The name that the samples are listed under.
    package var name: String
    /// `hls` by the player library, `frames` by Quietcam's element, or `image`.
    package var kind: String
    /// The playlist, the camera's folder, or the picture.
    package var url: String
    /// Server-sent events that say when to fetch the picture; without them it is polled every two seconds.
    package var events: String?
    /// Options for the player library, in addition to those of Quietcam's own page.
    package var player: [String: Double]?
    /// The element's module.
    package var script: String?

    /// A way to be shown.
    package init(
      name: String, kind: String, url: String, events: String? = nil, player: [String: Double]? = nil,
      script: String? = nil
    ) {
      self.name = name
      self.kind = kind
      self.url = url
      self.events = events
      self.player = player
      self.script = script
    }
  }

  private struct Config: Codable {
    var library: String
    var every: Int64
    var ways: [Way]
  }

  private struct Report: Codable {
    var way: String
    var samples: [Int]
    var stalls: Int
  }

  private let html: ByteBuffer
  private let config: ByteBuffer
  private let board: LatencyBoard

  /// A page that shows `ways`.
  ///
  /// - Parameters:
  ///   - library: the address of the player library as a module.
  ///   - every: milliseconds from still to still.
  /// - Throws: `MissingWebFile` if the page was not built with the program.
  package init(library: String, every: Int64, ways: [Way], board: LatencyBoard) throws {
    guard let page = WebFiles.of("Bench")["latency.html"] else { throw MissingWebFile("latency.html") }
    html = page
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    config = ByteBuffer(bytes: try encoder.encode(Config(library: library, every: every, ways: ways)))
    self.board = board
  }

  /// Serves until it is cancelled.
  ///
  /// - Parameter onReady: gets the port once it is open.
  package func run(onReady: @escaping @Sendable (Int) async -> Void) async throws {
    let (html, config, board) = (html, config, board)
    let router = Router()
    router.get("/") { _, _ in Self.answer(html, "text/html; charset=utf-8") }
    router.get("/config.json") { _, _ in Self.answer(config, "application/json") }
    router.post("/samples") { request, _ -> Response in
      let body = try await request.body.collect(upTo: 1 << 20)
      let report = try JSONDecoder().decode(Report.self, from: Data(body.readableBytesView))
      board.add(report.way, report.samples, stalls: report.stalls)
      return Response(status: .noContent)
    }
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
      logger: {
        var logger = Logger(label: "latency page")
        logger.logLevel = .critical
        return logger
      }())
    try await application.run()
  }

  private static func answer(_ body: ByteBuffer, _ type: String) -> Response {
    Response(status: .ok, headers: [.contentType: type], body: .init(byteBuffer: body))
  }
}
