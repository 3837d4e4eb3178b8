import NIOCore
import TestSupport
import Testing

@testable import Ingest

/// What cameras answer over HTTP, read as people's programs read it.
@Suite struct AnswerReaderTests {
  private let still = Pictures.tiny()
  private let ok = "HTTP/1.1 200 OK\r\n"

  /// The head and the body of an answer, and whether another may follow.
  private func read(_ bytes: [UInt8], cuts: [Int] = []) -> (head: AnswerHead?, body: [UInt8], end: String) {
    var reader = AnswerReader()
    var events: [AnswerReader.Event] = []
    var start = 0
    for cut in cuts + [bytes.count] {
      events += reader.read(ByteBuffer(bytes: bytes[start..<cut]))
      start = cut
    }
    events += reader.finish()
    var result: (head: AnswerHead?, body: [UInt8], end: String) = (nil, [], "closed")
    for event in events {
      switch event {
      case .head(let head): result.head = head
      case .body(let body): result.body += body.readableBytesView
      case .end(let isReusable): result.end = isReusable ? "reusable" : "ended"
      case .malformed(let words): result.end = words
      }
    }
    return result
  }

  private func answer(_ head: String, _ body: [UInt8]) -> [UInt8] { Array(head.utf8) + body }

  @Test(arguments: [
    "Server: GoaHead\r\nTue, 12 Jun 2012 01:56:34 GMT\r\nContent-Type: image/jpeg\r\n\r\n",
    "Content-Type : image/jpeg\r\n\r\n", "Content-Type:\r\n image/jpeg\r\n\r\n", "content-type:image/jpeg\n\n",
    "Content-Type: image/jpeg\r\nContent-Length: 19\r\nContent-Length: 19\r\n\r\n",
    "Content-Type: image/jpeg\r\nContent-Length: 19, 19\r\n\r\n",
    "Content-Type: image/jpeg\r\nContent-Length: 21\r\n\r\n", "Content-Type: image/jpeg\r\nContent-Length: 5\r\n\r\n",
    "Content-Type: image/jpeg\r\nContent-Length: 5\r\nContent-Length: 19\r\n\r\n",
    "Content-Type: image/jpeg\r\nContent-Length: nineteen\r\n\r\n", "Content-Type: image/jpeg\r\n",
    "Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n",
    "=\r\n:\r\n\u{7}\r\nContent-Type: image/jpeg\r\n\r\n",
  ])
  func oddHeadsAreRead(_ fields: String) {
    for start in [
      ok, "HTTP/1.0 200\r\n", "ICY 200 OK\r\n", "\r\nHTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n\(ok)",
    ] {
      let bytes = answer(start + fields, still)
      for cuts in [[], Array(0..<bytes.count)] {
        let (head, body, _) = read(bytes, cuts: cuts)
        #expect(head?.status == 200)
        #expect(head?.first("content-type") == "image/jpeg")
        #expect(body == still, "\(start + fields)")
      }
    }
  }

  @Test func chunksAreJoinedAndTheLengthBesideThemCountsForNothing() {
    let size = String(still.count - 3, radix: 16)
    for fields in ["", "Content-Length: 19\r\n"] {
      var bytes = answer("\(ok)\(fields)Transfer-Encoding: chunked\r\n\r\n3;x=1\r\n", Array(still.prefix(3)))
      bytes += Array("\r\n\(size)\r\n".utf8) + still.dropFirst(3) + Array("\r\n0\r\nTrailer: x\r\n\r\n".utf8)
      let (_, body, end) = read(bytes)
      #expect(body == still)
      #expect(end == "reusable")
    }
  }

  @Test func aConnectionIsKeptWhereTheEndIsSure() {
    #expect(read(answer("\(ok)Content-Length: \(still.count)\r\n\r\n", still)).end == "reusable")
    #expect(read(answer("\(ok)Content-Length: \(still.count)\r\nConnection: close\r\n\r\n", still)).end == "ended")
    #expect(read(answer("HTTP/1.0 200 OK\r\nContent-Length: \(still.count)\r\n\r\n", still)).end == "ended")
    #expect(read(answer("\(ok)Content-Length: 4\r\n\r\n", still)).end == "ended")
    #expect(read(answer("\(ok)\r\n", still)).end == "closed")
    #expect(read(answer("HTTP/1.1 204 No Content\r\n\r\n", [])).end == "reusable")
  }

  @Test func aPictureWithoutAHeadIsABody() {
    #expect(read(still).body == still)
    #expect(read(answer("--x\r\n\r\n", still), cuts: [1, 2]).body == answer("--x\r\n\r\n", still))
  }

  @Test(arguments: [
    ("", "without an answer"), ("HTTP", "\"HTTP\""), ("220 ready\r\n", "\"220 ready\""),
    ("RTSP/1.0 200 OK\r\n", "RTSP"),
    ("HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 abc"), ("HTTP/1.1 200 OK\r\nA: b", "in the middle of the answer's head"),
  ])
  func whatIsNoAnswerSaysWhatWasRead(_ text: String, _ words: String) {
    #expect(read(Array(text.utf8)).end.contains(words))
  }

  @Test func aHeadWithoutEndIsGivenUp() {
    for line in ["A: b\r\n", String(repeating: "x", count: 9000)] {
      var reader = AnswerReader()
      _ = reader.read(ByteBuffer(string: ok))
      var events: [AnswerReader.Event] = []
      var most = 0
      for _ in 0..<20_000 {
        events += reader.read(ByteBuffer(string: line))
        most = max(most, reader.heldBytes)
      }
      #expect(events.count == 1 && most <= 20_000)
    }
  }

  @Test func howAnAnswerIsCutMakesNoDifference() {
    var random = SeededGenerator(seed: 8)
    let size = String(still.count, radix: 16)
    let samples = [
      answer("\(ok)Content-Length: \(still.count)\r\n\r\n", still),
      answer("HTTP/1.0 200 OK\r\nA : b\r\n c\r\n\r\n", still),
      answer("\(ok)Transfer-Encoding: chunked\r\n\r\n\(size)\r\n", still + Array("\r\n0\r\n\r\n".utf8)),
      answer("HTTP/1.1 100 Continue\r\n\r\n\(ok)\n", still),
    ]
    for number in 0..<4000 {
      let sample = samples[number % samples.count]
      let bytes = SampleBody.mutation.applied(
        to: sample, mixing: samples[(number / 4) % samples.count], most: 3, using: &random)
      let cuts = (0..<Int.random(in: 0...5, using: &random)).map { _ in Int.random(in: 0...bytes.count, using: &random)
      }
      let (whole, pieces) = (read(bytes), read(bytes, cuts: cuts.sorted()))
      #expect(whole.head == pieces.head && whole.body == pieces.body, "\(bytes) at \(cuts)")
    }
  }
}
