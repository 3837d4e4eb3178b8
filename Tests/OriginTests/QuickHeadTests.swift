import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import Origin

/// What the quick way takes for a head has to mean the same to the parser behind it, or two readers of one connection
/// would see different requests.
@Suite struct QuickHeadTests {
  private static let seeds = [
    "GET /desk/7.0.mp4 HTTP/1.1\r\nHost: cam.example\r\n\r\n",
    "GET /desk/live.m3u8?_HLS_msn=7&_HLS_part=1 HTTP/1.1\r\nhost:a\r\nAccept-Encoding: gzip, br \r\nIf-None-Match:\t\"x\"\r\n\r\n",
    "HEAD /desk/latest.jpg HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nRange: bytes=0-\r\nUser-Agent: x\r\nDNT: 1\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "GET /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n0\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: a\r\nForwarded: for=1.2.3.4\r\nRange: \r\n\r\nGET /b HTTP/1.1\r\nHost: b\r\n\r\n",
  ]

  private static let damage = Mutation(
    tokens: [
      "\r\n", "\n", "\r", ":", " ", "\t", "\0", "\u{7F}", "%2e", "//", "/../", "Host: b\r\n", "Host : b\r\n",
      "Range: bytes=1-\r\n", "range: bytes=2-\r\n", "Content-Length: 0\r\n", "content-length:\t3\r\n",
      "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "Upgrade: h2c\r\n",
      "Expect: 100-continue\r\n", " folded\r\n", "HTTP/1.1", "HTTP/1.0", "GET ", "HEAD ", "\r\n\r\n",
    ].map { Array($0.utf8) }, front: 120)

  /// The head that the parser reads in these bytes; `nil` where it finds fault or wants more.
  private func parsed(_ bytes: ByteBuffer) -> HTTPRequestHead? {
    let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
    defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
    _ = try? channel.writeInbound(bytes)
    guard case .head(let head)? = try? channel.readInbound(as: HTTPServerRequestPart.self),
      case .end(nil)? = try? channel.readInbound(as: HTTPServerRequestPart.self)
    else { return nil }
    return head
  }

  /// The value of a field; the parser leaves spaces at its end (RFC 9112, section 5).
  private func value(_ name: HTTPField.Name, of head: HTTPRequestHead) -> String? {
    head.headers[name.canonicalName].first.map { value in
      String(decoding: value.utf8.reversed().drop { $0 == 32 || $0 == 9 }.reversed(), as: UTF8.self)
    }
  }

  @Test func whatIsTakenMeansTheSameToTheParser() {
    var random = SeededGenerator(seed: 1)
    var taken = 0
    let seeds = Self.seeds.map { Array($0.utf8) }
    for number in 0..<1500 {
      let (seed, other) = (seeds[number % seeds.count], seeds.randomElement(using: &random) ?? [])
      // Bytes in front of the head, as what was read before may still lie there.
      var buffer = ByteBuffer(bytes: [UInt8](repeating: 0x47, count: number % 3))
      buffer.moveReaderIndex(forwardBy: number % 3)
      let isWhole = number < seeds.count
      buffer.writeBytes(isWhole ? seed : Self.damage.applied(to: seed, mixing: other, most: 4, using: &random))
      guard case .head(let head) = QuickHead.read(buffer) else { continue }
      taken += 1
      let words = String(buffer: buffer).debugDescription
      guard head.length <= buffer.readableBytes,
        let front = buffer.getSlice(at: buffer.readerIndex, length: head.length), let same = parsed(front)
      else {
        Issue.record("the parser does not take \(words)")
        continue
      }
      #expect(same.method == (head.isHead ? .HEAD : .GET), "\(words)")
      #expect(same.uri == head.target(in: buffer), "\(words)")
      #expect(same.version == .http1_1 && same.isKeepAlive && same.headers["host"].count == 1, "\(words)")
      for name in ["content-length", "transfer-encoding", "upgrade", "expect"] {
        #expect(!same.headers.contains(name: name), "\(words)")
      }
      for field in QuickHead.Field.allCases {
        #expect(value(field.name, of: same) == head.value(field, in: buffer), "\(words)")
      }
      let asked = head.asked(in: buffer)
      #expect(asked.method == (head.isHead ? .head : .get), "\(words)")
      for name in RequestConditions.fieldNames {
        #expect(asked.fields[name] == value(name, of: same), "\(words)")
      }
    }
    #expect(taken > 100)
  }
}
