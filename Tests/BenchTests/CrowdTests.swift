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

  @Test func anAnswerOfHTTP10EndsItsConnectionUnlessItSaysOtherwise() throws {
    var scanner = AnswerScanner()
    var bytes = ByteBuffer(
      string: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"
        + "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nb")
    #expect(try scanner.take(&bytes).map(\.closes) == [true, false])
  }

  @Test func anAnswerWithoutAnEndIsTakenInPieces() throws {
    var scanner = AnswerScanner()
    var taken = ""
    for piece in ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na", "bc\r\n2\r\nde", "\r\n1\r\nf\r\n"] {
      var bytes = ByteBuffer(string: piece)
      #expect(try scanner.take(&bytes).isEmpty)
      taken += String(buffer: scanner.takeBody())
    }
    #expect(taken == "abcdef" && scanner.bodyBytes == 0)
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
    var asked = [viewer.current.path]
    var parts = 1
    while asked.count < count {
      let isPlaylist = viewer.kind == .playlist
      let body = isPlaylist ? playlist(parts: parts) : ByteBuffer(string: "x")
      if isPlaylist { parts += 1 }
      let step = try viewer.take(status: 200, next: next(asked.count), body: body) {
        try PlaylistNews($0, path: "/desk/live.m3u8", host: "cam.example:80")
      }
      guard case .ask(let request, _) = step else { break }
      asked.append(request.path)
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
    let step = try viewer.take(status: 503, next: nil, body: ByteBuffer(), read: Self.none)
    guard case .ask(let request, let wait) = step else {
      Issue.record("it asked for nothing")
      return
    }
    #expect(request.path == "/desk/live.m3u8" && wait == .seconds(1))
  }

  @Test func aViewerOfPhotosWaitsForEachOne() throws {
    var viewer = CrowdViewer(.photos, path: "/desk/live.m3u8")
    #expect(viewer.current.path == "/desk/latest.jpg" && !viewer.isFinal)
    // One that is announced while another is on its way follows it; of several the newest.
    #expect(viewer.announce("photo-1.jpg") == nil && viewer.announce("photo-2.jpg") == nil)
    let picture = ByteBuffer(string: "x")
    guard case .ask(let next, .zero) = try viewer.take(status: 200, next: nil, body: picture, read: Self.none) else {
      Issue.record("it asked for nothing")
      return
    }
    #expect(next.path == "/desk/photo-2.jpg" && viewer.isFinal)
    guard case .wait = try viewer.take(status: 200, next: nil, body: picture, read: Self.none) else {
      Issue.record("it asked for what was not announced")
      return
    }
    #expect(viewer.announce(nil)?.path == "/desk/latest.jpg")
    // A photo that was withdrawn does not come back.
    _ = try viewer.take(status: 200, next: nil, body: picture, read: Self.none)
    #expect(viewer.announce("photo-3.jpg")?.path == "/desk/photo-3.jpg")
    guard case .ask(let newest, .zero) = try viewer.take(status: 404, next: nil, body: picture, read: Self.none) else {
      Issue.record("it waits")
      return
    }
    #expect(newest.path == "/desk/latest.jpg")
  }

  @Test func framesNeedAServerThatHasThem() throws {
    var viewer = CrowdViewer(.frames, path: "/live.m3u8")
    let foreign = ByteBuffer(string: "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n")
    #expect(throws: AnswerScanner.Mistake.self) {
      _ = try viewer.take(status: 200, next: nil, body: foreign) {
        try PlaylistNews($0, path: "/live.m3u8", host: "cam.example:80")
      }
    }
  }

  private static func none(_: ByteBuffer) throws -> PlaylistNews { preconditionFailure("no playlist came") }
}

@Suite struct PlaylistNewsTests {
  private func news(_ lines: String) throws -> PlaylistNews {
    try PlaylistNews(
      ByteBuffer(string: "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:4\n\(lines)\n"), path: "/a/live.m3u8?key=1",
      host: "cam.example:8080")
  }

  @Test func addressesOfTheSameHostAreRequestedFromIt() throws {
    let found = try news(
      "#EXTINF:4,\n1.ts\n#EXTINF:4,\n/b/2.ts?x=1\n#EXTINF:4,\nhttp://cam.example:8080/c/3.ts?y\n"
        + "#EXTINF:4,\n//cam.example/4.ts")
    #expect(found.segments.map(\.request.path) == ["/a/1.ts", "/b/2.ts?x=1", "/c/3.ts?y", "/4.ts"])
    #expect(found.part == .seconds(4) && found.reload == nil)
  }

  @Test(arguments: ["https://cdn.example/1.ts", "http://cam.example/1.ts", "//cdn.example/1.ts"])
  func thoseOfAnotherHostAreTold(_ address: String) {
    let mistake = #expect(throws: AnswerScanner.Mistake.self) { try news("#EXTINF:4,\n\(address)") }
    #expect(mistake?.description.contains("another host than cam.example:8080") ?? false)
  }

  @Test func byteRangesFollowOneAnother() throws {
    let found = try news(
      "#EXT-X-BYTERANGE:100@0\n#EXTINF:4,\nall.ts\n#EXT-X-BYTERANGE:50\n#EXTINF:4,\nall.ts\n"
        + "#EXT-X-BYTERANGE:7@1000\n#EXTINF:4,\nall.ts")
    #expect(found.segments.map(\.request.range) == ["bytes=0-99", "bytes=100-149", "bytes=1000-1006"])
  }

  @Test func aReloadKeepsWhatTheAddressAsks() throws {
    let found = try news(
      "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3\n#EXT-X-PART-INF:PART-TARGET=1\n#EXTINF:4,\n1.ts\n"
        + "#EXT-X-PART:DURATION=1,URI=\"2.0.ts\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"2.1.ts\"")
    #expect(found.reload == "/a/live.m3u8?key=1&_HLS_msn=1&_HLS_part=1")
    #expect(found.part == .seconds(1))
  }
}

@Suite struct CrowdTurnoverTests {
  @Test func viewersStayForHalfTheTimeAtLeastAndForOneAndAHalfAtMost() {
    var turnover = CrowdTurnover(count: 200, stay: .seconds(10))
    var since = [Ticks](repeating: .zero, count: 200)
    var (stays, first) = ([Int64](), Set<Int>())
    for step in 1...1200 {
      let now = Ticks.milliseconds(100) * Int64(step)
      for place in turnover.leaving(at: now) {
        if !first.insert(place).inserted { stays.append((now - since[place]).milliseconds) }
        since[place] = now
      }
      // It is a crowd of long standing from the beginning: those who are there leave within the mean time.
      if step == 100 { #expect(first.count == 200) }
    }
    #expect(stays.allSatisfy { (5_000...15_100).contains($0) })
    let mean = stays.reduce(0, +) / Int64(stays.count)
    #expect((9_000...11_000).contains(mean))
    // Not in waves.
    #expect(Set(stays).count > 50)
  }
}

@Suite struct CrowdLimitsTests {
  @Test func whatGaveFirstIsToldFirst() {
    var (limits, tally) = (CrowdLimits(), CrowdTally())
    limits.note(tally, refusedConnections: 0, load: .init(server: 300, bench: 600), after: .seconds(1))
    #expect(limits.reached.isEmpty)
    limits.note(tally, refusedConnections: 0, load: .init(server: 400, bench: 590), after: .seconds(2))
    tally.add(.playlist, status: 503, name: "live.m3u8", body: ByteBuffer(), isFinal: false, at: 0)
    tally.note("x had other bytes for another viewer")
    for second in 3...5 {
      limits.note(tally, refusedConnections: 1, load: .init(server: 500, bench: 490), after: .seconds(second))
    }
    #expect(limits.reached.map(\.after) == [.seconds(2), .seconds(3), .seconds(3), .seconds(3)])
    #expect(limits.reached[0].words.contains("the server had 40 %, this bench 59 %"))
    #expect(limits.reached.dropFirst().contains { $0.words.contains("503") })
  }

  @Test func aServerOnAnotherMachineIsNotBlamedForThisOne() {
    var limits = CrowdLimits()
    limits.note(CrowdTally(), refusedConnections: 0, load: .init(server: nil, bench: 999), after: .seconds(1))
    #expect(limits.reached.isEmpty)
  }
}

@Suite struct CrowdResultTests {
  private func result(
    _ way: CrowdWay = .lowLatency, publishes: Bool = true, _ change: (inout CrowdTally) throws -> Void = { _ in }
  ) throws -> CrowdResult {
    var options = ViewersBench.Options()
    (options.way, options.count, options.length) = (way, 3, .seconds(10))
    var (tally, limits) = (CrowdTally(), CrowdLimits())
    tally.came = 3
    for time in [1_000, 2_000, 3_000] as [Int64] { tally.join(after: time) }
    if publishes {
      tally.add(.media, status: 200, name: "0.mp4", body: ByteBuffer(string: "x"), isFinal: true, at: 0)
    }
    try change(&tally)
    limits.note(tally, refusedConnections: 0, load: .init(server: nil, bench: 0), after: .seconds(4))
    return CrowdResult(
      options, before: CrowdTally(), after: tally, refusedConnections: 0, elapsed: .seconds(10),
      load: CrowdLoad(server: nil), limits: limits)
  }

  @Test func theLastLineSaysWhetherAllWereCarried() throws {
    let good = try result()
    #expect(good.isGood && good.statement.hasPrefix("This server carries 3 viewers"))
    let refused = try result { $0.add(.media, status: 503, name: "a", body: ByteBuffer(), isFinal: true, at: 0) }
    #expect(
      !refused.isGood && refused.statement.contains("does not carry 3 viewers. What gave first: the server had no"))
    let hungry = try result { $0.came = 4 }
    #expect(!hungry.isGood && hungry.statement.contains("1 viewers got nothing"))
  }

  @Test func aStreamInWhichNothingIsNewSaysNothing() throws {
    let empty = try result(publishes: false)
    #expect(!empty.isGood && empty.statement.hasPrefix("No whole media came"))
  }

  @Test func onlyThoseWhoWaitForPartsCanBeLate() throws {
    func late(_ way: CrowdWay) throws -> CrowdResult {
      try result(way) { tally in
        let playlist =
          "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3\n"
          + "#EXT-X-PART-INF:PART-TARGET=1\n#EXTINF:4,\n1.mp4\n"
        _ = try tally.read(ByteBuffer(string: playlist), path: "/live.m3u8", host: "a:80", coding: .none)
        for time in [0, 100, 700] as [Int64] {
          tally.add(
            .media, status: 200, name: "1.mp4", body: ByteBuffer(string: "x"), isFinal: true, at: time * 1_000_000)
        }
      }
    }
    #expect(try late(.lowLatency).statement.contains("the slowest hundredth has the media 700 ms after the first"))
    // These look at a playlist at times of their own.
    #expect(try late(.plain).statement.hasPrefix("This server carries 3 viewers"))
  }

  @Test func thoseWhoCameLaterCountToo() throws {
    let changing = try result { tally in
      (tally.came, tally.left) = (5, 2)
      for _ in 0..<2 { tally.join(after: 5_000) }
    }
    #expect(changing.isGood)
    #expect(changing.description.hasPrefix("5 of 5 low-latency viewers"))
    #expect(changing.description.contains("2 left while others came; first media after p50 3 ms, p99 5 ms"))
  }
}

@Suite struct CrowdTallyTests {
  @Test func whatWasThereBeforeTheViewerSaysNothingOfLateness() {
    var tally = CrowdTally()
    tally.add(.media, status: 200, name: "a", body: ByteBuffer(string: "x"), isFinal: true, isFirst: true, at: 9)
    tally.add(.media, status: 206, name: "a", body: ByteBuffer(string: "x"), isFinal: true, at: 5)
    tally.add(.media, status: 200, name: "latest.jpg", body: ByteBuffer(string: "x"), isFinal: false, at: 5)
    tally.add(.media, status: 200, name: "latest.jpg", body: ByteBuffer(string: "y"), isFinal: false, at: 5)
    #expect(tally.arrivals == ["a": [5]] && tally.media == 4 && tally.mistakes.isEmpty && tally.refused.isEmpty)
  }

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
