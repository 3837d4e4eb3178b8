import Media
import NIOCore
import TestSupport
import Testing

@testable import Bench

@Suite struct AnswerScannerTests {
  private let text =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nLink: <8.mp4>; rel=\"next\"\r\n\r\nabcde"
    + "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nConnection: close\r\n\r\n"
    + "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n"
    + "HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"

  @Test func answersAreReadHoweverTheirBytesAreCut() throws {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<200 {
      var scanner = AnswerScanner()
      var answers: [AnswerScanner.Answer] = []
      var rest = ByteBuffer(string: text)
      while rest.readableBytes > 0 {
        let length = Int.random(in: 1...min(40, rest.readableBytes), using: &random)
        guard var piece = rest.readSlice(length: length) else { break }
        answers += try scanner.take(&piece)
      }
      #expect(answers.map(\.status) == [200, 404, 200, 304])
      #expect(answers.map { String(buffer: $0.body) } == ["abcde", "", "abcde", ""])
      #expect(answers.map(\.next) == ["8.mp4", nil, nil, nil])
      #expect(answers.map(\.closes) == [false, true, false, false])
      #expect(answers.map(\.coding) == [.none, .none, .gzip, .none])
      #expect(scanner.isIdle)
    }
  }

  @Test func anAnswerThatGoesOnTellsWhatHasCome() throws {
    var scanner = AnswerScanner()
    var bytes = ByteBuffer(string: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2")
    #expect(try scanner.take(&bytes).isEmpty)
    #expect(scanner.bodyBytes == 3 && !scanner.isIdle)
    bytes = ByteBuffer(string: "\r\nde\r\n0\r\n\r\n")
    #expect(try scanner.take(&bytes).map { String(buffer: $0.body) } == ["abcde"])
    #expect(scanner.bodyBytes == 0 && scanner.isIdle)
  }

  @Test(arguments: [
    "FTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
  ])
  func whatIsNoAnswerIsAMistake(_ text: String) {
    #expect(throws: AnswerScanner.Mistake.self) {
      var scanner = AnswerScanner()
      var bytes = ByteBuffer(string: text)
      _ = try scanner.take(&bytes)
    }
  }
}

@Suite struct CrowdViewerTests {
  private func playlist(parts: Int) -> ByteBuffer {
    let listed = (0..<parts).map { "#EXT-X-PART:DURATION=1,URI=\"8.\($0).mp4\"\n" }.joined()
    return ByteBuffer(
      string: """
        #EXTM3U
        #EXT-X-VERSION:6
        #EXT-X-TARGETDURATION:4
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3
        #EXT-X-PART-INF:PART-TARGET=1
        #EXT-X-MEDIA-SEQUENCE:6
        #EXT-X-MAP:URI="init.mp4"
        #EXTINF:4,
        6.mp4
        #EXTINF:4,
        7.mp4
        \(listed)#EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.\(parts).mp4"

        """)
  }

  /// What a viewer asks for, one after another, if all answers are good.
  private func asked(_ way: CrowdWay, count: Int, next: (Int) -> String? = { _ in nil }) throws -> [String] {
    var viewer = CrowdViewer(way, path: "/desk/live.m3u8")
    var asked = [viewer.begin()]
    var parts = 1
    while asked.count < count {
      let isPlaylist = viewer.kind == .playlist
      let body = isPlaylist ? playlist(parts: parts) : ByteBuffer(string: "x")
      if isPlaylist { parts += 1 }
      let step = try viewer.take(status: 200, next: next(asked.count), body: body) {
        try PlaylistNews($0, path: "/desk/live.m3u8")
      }
      guard case .ask(let path, _) = step else { break }
      asked.append(path)
    }
    return asked
  }

  @Test func aLowLatencyViewerAsksForEachPartOnce() throws {
    #expect(
      try asked(.lowLatency, count: 6) == [
        "/desk/live.m3u8", "/desk/8.0.mp4", "/desk/live.m3u8?_HLS_msn=8&_HLS_part=1", "/desk/8.1.mp4",
        "/desk/live.m3u8?_HLS_msn=8&_HLS_part=2", "/desk/8.2.mp4",
      ])
  }

  @Test func aViewerOfSegmentsBeginsWithTheNewest() throws {
    #expect(
      try asked(.plain, count: 4) == ["/desk/live.m3u8", "/desk/7.mp4", "/desk/live.m3u8", "/desk/live.m3u8"])
  }

  @Test func aViewerByFramesFollowsTheLinks() throws {
    let links = [2: "9.mp4", 3: "10.mp4"]
    #expect(
      try asked(.frames, count: 5) { links[$0] } == [
        "/desk/live.m3u8", "/desk/8.mp4", "/desk/9.mp4", "/desk/10.mp4", "/desk/live.m3u8",
      ])
  }

  @Test func anErrorLeadsBackToThePlaylist() throws {
    var viewer = CrowdViewer(.lowLatency, path: "/desk/live.m3u8")
    _ = viewer.begin()
    let step = viewer.take(status: 503, next: nil, body: ByteBuffer()) { _ in preconditionFailure("no playlist came") }
    guard case .ask("/desk/live.m3u8", let wait) = step else {
      Issue.record("it asked for something else")
      return
    }
    #expect(wait == .seconds(1))
  }
}

@Suite struct CrowdTallyTests {
  @Test func otherBytesUnderANameAreNoticed() {
    var tally = CrowdTally()
    for text in ["one", "one", "two"] {
      tally.add(.media, status: 200, name: "8.0.mp4", body: ByteBuffer(string: text), isFinal: true, at: 0)
    }
    tally.add(.media, status: 404, name: "8.1.mp4", body: ByteBuffer(), isFinal: true, at: 0)
    #expect(tally.mistakes == ["8.0.mp4 had other bytes for another viewer": 1])
    #expect(tally.refused == [404: 1] && tally.media == 3)
  }

  @Test func theSpreadIsFromTheFirstViewerToTheLast() {
    let spread = CrowdSpread(
      ["a": [1_000_000, 3_000_000, 11_000_000], "b": [5_000_000, 5_000_000, 5_000_000], "late": [1]], viewers: 3)
    #expect(spread.count == 2)
    #expect(spread.span == (10, 10))
    #expect(spread.wait(at: 100) == 10 && spread.wait(at: 50) == 0)
  }
}
