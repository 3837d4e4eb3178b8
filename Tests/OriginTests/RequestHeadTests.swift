import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Origin

/// What goes to the parser of what comes, and what is said about what it refuses.
@Suite struct RequestHeadTests {
  /// A parser in miniature: finds heads and bodies of told lengths, as the real one behind the handler does.
  private final class Parser: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let heads: RequestHeadHandler
    var passed = ByteBuffer()
    private var open = ByteBuffer()
    private var rest = 0
    private let endsByChunks: Bool

    init(_ heads: RequestHeadHandler, endsByChunks: Bool = false) {
      self.heads = heads
      self.endsByChunks = endsByChunks
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      var bytes = unwrapInboundIn(data)
      passed.writeImmutableBuffer(bytes)
      open.writeBuffer(&bytes)
      while open.readableBytes > 0 {
        if rest > 0 {
          let count = min(rest, open.readableBytes)
          open.moveReaderIndex(forwardBy: count)
          rest -= count
          if rest == 0 { heads.messageEnded() }
          continue
        }
        let text = String(buffer: open)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return }
        open.moveReaderIndex(forwardBy: text[..<end.upperBound].utf8.count)
        let length = text[..<end.lowerBound].split(separator: "\r\n").first { $0.hasPrefix("Content-Length: ") }
          .flatMap { Int($0.dropFirst(16)) }
        rest = length ?? 0
        heads.headCame(endsByChunks ? .other : .length(rest))
        if rest == 0 { heads.messageEnded() }
      }
    }
  }

  private func passed(_ pieces: [String], endsByChunks: Bool = false) throws -> String {
    let heads = RequestHeadHandler()
    let parser = Parser(heads, endsByChunks: endsByChunks)
    let channel = EmbeddedChannel(handlers: [heads, parser])
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    for piece in pieces { try channel.writeInbound(ByteBuffer(string: piece)) }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    return String(buffer: parser.passed)
  }

  @Test(arguments: [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /x HTTP/1.1\r\nContent-Length: 5\r\n\r\na b\n\n",
    "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n", "\u{16}\u{3}\u{1}tls", "get / HTTP/1.1\r\n\r\n",
    "POST /x HTTP/1.1\r\nContent-Length: 24\r\n\r\nGET / HTTP/1.1 \r\nA: b\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "POST /x HTTP/1.1\r\nContent-Length: 16\r\n\r\nGET /\n HTTP/1.1\nGET / HTTP/1.1\r\n\r\n",
    // Control characters behind the version are for the parser to refuse.
    "GET / HTTP/1.1\u{0}\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\u{1}\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\u{B}\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r \r\nHost: a\r\n\r\n",
  ])
  func whatIsRightGoesThroughAsItIs(text: String) throws {
    let bytes = Array(text.unicodeScalars.map { String($0) })
    #expect(try passed([text]) == text)
    #expect(try passed(bytes) == text)
    for cut in 1..<bytes.count {
      #expect(try passed([bytes[..<cut].joined(), bytes[cut...].joined()]) == text)
    }
  }

  @Test(arguments: [
    ("GET / HTTP/1.1 \r\nHost: a \r\n\r\n", "GET / HTTP/1.1\r\nHost: a \r\n\r\n"),
    ("GET / HTTP/1.1\t  \r\n\r\n", "GET / HTTP/1.1\r\n\r\n"),
    ("POST / HTTP/1.1\nContent-Length: 4\n\na\n\nb", "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\na\n\nb"),
    ("\n\nGET / HTTP/1.0\n\n", "GET / HTTP/1.0\r\n\r\n"),
    (
      "POST / HTTP/1.1 \r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1 \r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET / HTTP/1.1\r\n\r\n"
    ),
  ])
  func harmlessSlipsArePutRight(text: String, right: String) throws {
    let bytes = Array(text.unicodeScalars.map { String($0) })
    #expect(try passed([text]) == right)
    for cut in 1..<bytes.count {
      #expect(try passed([bytes[..<cut].joined(), bytes[cut...].joined()]) == right)
    }
  }

  /// Where the body is not counted, nobody knows where the next head begins: what looks like one may be a part of it.
  @Test func nothingIsPutRightBehindABodyThatIsNotCounted() throws {
    let chunked = "POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\n"
    #expect(try passed([chunked + "abcdef", "GET / HTTP/1.1 \r\n\r\n"], endsByChunks: true).hasSuffix("1.1 \r\n\r\n"))
    let last = "a0\r\n\r\n"
    #expect(try passed([chunked + last, "GET / HTTP/1.1 \r\n\r\n"], endsByChunks: true).hasSuffix("1.1\r\n\r\n"))
    #expect(try passed([chunked + last + "GET / ", "HTTP/1.1 \r\n\r\n"], endsByChunks: true).hasSuffix("1.1 \r\n\r\n"))
  }

  @Test func aHeadThatNeverEndsGoesToTheParserAndIsNotHeldForGood() throws {
    let long = "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 30_000)
    #expect(try passed([long]) == long)
  }

  @Test(arguments: [
    ("GET /\r\n\r\n", "incomplete"), ("GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "line 3"),
    ("GET / HTTP/1.1\r\n: a\r\n\r\n", "no name"), ("GET / HTTP/1.1\r\nSecret\r\n\r\n", "no colon"),
    ("GET / HTTP/1.1\r\nX : a\r\n\r\n", "space before"), ("GET / HTTP/1.1\r\nX(: a\r\n\r\n", "sign in its name"),
    ("GET / HTTP/1.1\r\nX: a\u{1}\r\n\r\n", "control character"),
    ("GET / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1\r\n\r\n", "Content-Length stands there 2 times"),
    ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "together"),
    ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "chunked"),
    ("BREW / HTTP/1.1\r\n\r\n", "method is not known"),
    ("get / HTTP/1.1\r\n\r\n", "capital"), ("GET /a b HTTP/1.1\r\n\r\n", "%20"),
    ("GET /\u{fc} HTTP/1.1\r\n\r\n", "%XX"), ("GET / HTTP/3.0\r\n\r\n", "HTTP/1.1"),
    ("GET / HTTP/1.1\nX: a\r\n\n", "line 1"), ("\u{16}\u{3}\u{1}", "TLS"), ("", "RFC 9112"),
  ])
  func aRefusalSaysWhatIsWrongAndRepeatsNothing(head: String, word: String) {
    let fault = HeadFault(.invalidHeaderToken, head: Array(head.utf8), isInBody: false)
    #expect(fault.detail.contains(word) && fault.status == .badRequest && !fault.detail.contains("Secret"))
  }

  @Test func whatIsTooLargeAndWhatEndsEarlyHaveStatusesOfTheirOwn() {
    #expect(HeadFault(.headerOverflow, head: [], isInBody: false).status == .requestHeaderFieldsTooLarge)
    #expect(HeadFault(.invalidEOFState, head: [], isInBody: true).status == .requestTimeout)
    #expect(HeadFault(.invalidEOFState, head: [], isInBody: false).status == .badRequest)
    #expect(HeadFault(.invalidChunkSize, head: [], isInBody: true).detail.contains("chunk"))
  }
}
