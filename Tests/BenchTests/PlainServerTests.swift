import Foundation
import HTTPTypes
import Media
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import Bench

/// The ordinary web server that other ways are served by.
struct PlainServerTests {
  private func serving(_ body: (_ port: Int, _ folder: URL, _ hub: StillHub) async throws -> Void) async throws {
    try await withFolder { try await serving(URL(fileURLWithPath: $0), body) }
  }

  private func serving(
    _ folder: URL, _ body: (_ port: Int, _ folder: URL, _ hub: StillHub) async throws -> Void
  ) async throws {
    let hub = StillHub()
    let server = PlainServer(folder: folder, hub: hub, tls: nil)
    let (ports, queue) = AsyncStream.makeStream(of: Int.self)
    let task = Task { try await server.run { queue.yield($0) } }
    let port = try #require(await ports.first { _ in true })
    do { try await body(port, folder, hub) } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    _ = try? await task.value
  }

  private func client(_ port: Int) -> WireClient {
    WireClient(
      endpoint: WireClient.Endpoint(port: port, tls: nil), referrer: "/", tally: WireTally(),
      group: MultiThreadedEventLoopGroup.singleton)
  }

  @Test func filesHaveTheFieldsOfNginx() async throws {
    try await serving { port, folder, _ in
      let text = "#EXTM3U\n" + String(repeating: "#EXTINF:2,\nsegment.ts\n", count: 20)
      try text.write(to: folder.appending(path: "index.m3u8"), atomically: true, encoding: .utf8)
      try Data(repeating: 71, count: 188).write(to: folder.appending(path: "0.ts"))
      let client = client(port)
      let segment = try await client.get("/hls/0.ts", .media, by: .script)
      #expect(segment.status == 200 && segment.body.readableBytes == 188)
      #expect(segment.fields[.contentType] == "video/mp2t")
      #expect(segment.fields[.server] == "nginx")
      #expect(segment.fields[.contentLength] == "188")
      #expect(segment.fields[.date] != nil && segment.fields[.lastModified] != nil && segment.fields[.eTag] != nil)
      let playlist = try await client.get("/hls/index.m3u8", .playlist, by: .script)
      #expect(playlist.fields[.contentEncoding] == "gzip" && playlist.fields[.contentLength] == nil)
      #expect(playlist.body.gunzipped().map { String(buffer: $0) } == text)
      let etag = try #require(playlist.fields[.eTag])
      let again = try await client.get("/hls/index.m3u8", .playlist, by: .script, extra: [("If-None-Match", etag)])
      #expect(again.status == 304 && again.body.readableBytes == 0)
      #expect(try await client.get("/hls/../x", .media, by: .script).status == 404)
      await client.close()
    }
  }

  @Test func theNewestStillIsServedAndPushed() async throws {
    try await serving { port, _, hub in
      let client = client(port)
      #expect(try await client.get("/still.jpg", .media, by: .image).status == 404)
      hub.publish(ByteBuffer(string: "first"), number: 0)
      #expect(try await client.get("/still.jpg?1", .media, by: .image).body == ByteBuffer(string: "first"))
      let log = WireServerLog()
      let watching = Task {
        let reader = MultipartReader { _, jpeg in log.add(String(buffer: jpeg)) }
        _ = try? await client.get("/motion.mjpeg", .media, by: .image) { reader.take($0) }
      }
      while log.all.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      hub.publish(ByteBuffer(string: "second"), number: 1)
      while log.all.count < 2 { try await Task.sleep(for: .milliseconds(5)) }
      #expect(log.all == ["first", "second"])
      await client.close()
      await watching.value
    }
  }
}
