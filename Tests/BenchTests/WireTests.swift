import Foundation
import Media
import NIOCore
import NIOPosix
import Testing

@testable import Bench

/// The counting clients on bytes that are known.
struct WireTests {
  private static let head = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\n"
  private static let chunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
  private static let chunks = "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"

  private func client(_ server: WireServer, _ tally: WireTally) -> WireClient {
    WireClient(
      endpoint: WireClient.Endpoint(port: server.port, tls: nil), referrer: "/desk/", tally: tally,
      group: MultiThreadedEventLoopGroup.singleton)
  }

  @Test func everyByteOfAnExchangeIsCountedOnceAndByItsPurpose() async throws {
    let server = try await WireServer(answers: [Self.head + "12345", Self.chunkedHead + Self.chunks])
    let tally = WireTally()
    let client = client(server, tally)
    let picture = try await client.get("/a.jpg", .media, by: .image)
    #expect(String(buffer: picture.body) == "12345")
    let playlist = try await client.get("/a.m3u8", .playlist, by: .script)
    #expect(String(buffer: playlist.body) == "abcdefg")
    await client.close()
    try await server.close()

    let bytes = tally.bytes
    #expect(bytes.media == 5)
    #expect(bytes.playlists == 7)
    #expect(bytes.headers == Self.head.utf8.count + Self.chunkedHead.utf8.count + Self.chunks.utf8.count - 7)
    #expect(bytes.requests == server.received.all.reduce(0) { $0 + $1.utf8.count })
    #expect(bytes.framing == 0)
    #expect(bytes.total == tally.now.socketDown + tally.now.socketUp)
    #expect(server.received.all.count == 2, "the second request goes over the connection of the first")
  }

  @Test func requestsAreThoseOfChromium() async throws {
    let server = try await WireServer(answers: [Self.head + "12345"])
    let digits = "\(server.port)".count
    let client = client(server, WireTally())
    _ = try await client.get("/desk/live.m3u8", .playlist, by: .script)
    await client.close()
    try await server.close()
    // As the capture has it, with a port of five digits and without "Headless".
    let lines = try #require(server.received.all.first).components(separatedBy: "\r\n")
    #expect(lines.first == "GET /desk/live.m3u8 HTTP/1.1")
    let names = lines.dropFirst().prefix { !$0.isEmpty }.map { $0.prefix { $0 != ":" }.lowercased() }
    #expect(
      Set(names) == [
        "host", "connection", "sec-ch-ua-platform", "user-agent", "sec-ch-ua", "sec-ch-ua-mobile", "accept",
        "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "referer", "accept-encoding", "accept-language",
      ])
    #expect(server.received.all[0].utf8.count == 506 - "Headless".count - 2 * (5 - digits))
  }

  @Test func aRequestFailsWithItsConnection() async throws {
    let server = try await WireServer(answers: ["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123"])
    let client = client(server, WireTally())
    let answer = Task { try await client.get("/a.jpg", .media, by: .image) }
    while server.received.all.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    await client.close()
    await #expect(throws: (any Error).self) { try await answer.value }
    try await server.close()
  }

  @Test func headerBlocksOfFramesAreToldFromAllElse() {
    func frame(_ type: UInt8, _ count: Int) -> [UInt8] {
      [UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), type, 0, 0, 0, 0, 1]
        + [UInt8](repeating: 7, count: count)
    }
    let stream =
      [UInt8](repeating: 80, count: 24) + frame(4, 12) + frame(1, 300) + frame(0, 70_000) + frame(9, 5) + frame(8, 4)
    for step in [1, 2, 7, 1000, 100_000] {
      var meter = FrameMeter(skipping: FrameMeter.prefaceLength)
      var fields = 0
      for start in stride(from: 0, to: stream.count, by: step) {
        fields += meter.read(ByteBuffer(bytes: stream[start..<min(start + step, stream.count)]))
      }
      #expect(fields == 305, "in steps of \(step)")
    }
  }

  @Test func purposesOfHTTP2AddUpToTheSocket() {
    var counts = WireTally.Counts()
    counts.isHTTP2 = true
    (counts.socketDown, counts.socketUp, counts.plainDown, counts.plainUp) = (10_000, 900, 9_500, 700)
    (counts.fieldsDown, counts.fieldsUp, counts.media, counts.playlists) = (150, 420, 8_000, 600)
    counts.partHeaders = 60
    let bytes = WireBytes(counts)
    #expect(bytes.total == 10_900)
    #expect((bytes.media, bytes.playlists, bytes.headers, bytes.requests) == (7_940, 600, 210, 420))
    #expect(bytes.framing == 10_900 - 7_940 - 600 - 210 - 420)
  }

  @Test func motionJPEGIsCutIntoItsPictures() {
    let body = "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 4\r\n\r\nABCD\r\n"
    let found = Found()
    let reader = MultipartReader { headers, jpeg in found.add("\(headers) \(String(buffer: jpeg))") }
    for byte in (body + body).utf8 { reader.take(ByteBuffer(bytes: [byte])) }
    #expect(found.all == ["\(body.utf8.count - 6) ABCD", "\(body.utf8.count - 4) ABCD"])
  }

  @Test func eventsAreReadAcrossPieces() {
    let found = Found()
    let lines = EventLines { found.add("\($0) \($1)") }
    for piece in [
      "retry: 2000\n\nid: 1\nevent: st", "ill\ndata: {}\n", "\n:\n\nevent: wave\ndata: 3\n", "\nevent: x\n",
    ] {
      lines.take(ByteBuffer(string: piece))
    }
    #expect(found.all == ["still {}", "wave 3"])
  }
}

/// What was told, in order.
private final class Found: Sendable {
  private let log = WireServerLog()
  var all: [String] { log.all }
  func add(_ text: String) { log.add(text) }
}
