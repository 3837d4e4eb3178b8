import Camera
import Foundation
import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@Suite struct PusherTests {
  /// Stills that are their own number as text; `count` of them.
  private func numbers(_ count: Int) -> ClosureSource {
    ClosureSource { index in index < count ? ByteBuffer(string: "\(index)") : nil }
  }

  /// `count` stills that are the number of the call as text, however many beats a busy machine misses.
  private func calls(_ count: Int) -> ClosureSource {
    let calls = Counter()
    return ClosureSource { _ in
      let call = calls.next()
      return call < count ? ByteBuffer(string: "\(call)") : nil
    }
  }

  private final class Counter: Sendable {
    private let count = NIOLockedValueBox(0)

    func next() -> Int {
      count.withLockedValue { count in
        defer { count += 1 }
        return count
      }
    }
  }

  private func pusher(
    _ source: some StillSource, _ server: ScriptedServer, every: Ticks = .milliseconds(50), followsAdvice: Bool = false
  ) throws -> Pusher {
    Pusher(
      source: source, target: try PushTarget(url: server.url, token: "secret", followsAdvice: followsAdvice),
      every: every, status: StatusLine(.silent))
  }

  private func withServer(
    _ script: [ScriptedServer.Answer], _ body: (ScriptedServer) async throws -> Void
  ) async throws {
    let server = try await ScriptedServer.start(script)
    do { try await body(server) } catch {
      try await server.stop()
      throw error
    }
    try await server.stop()
  }

  @Test func pushesRawJPEGsWithTheTokenOverOneConnection() async throws {
    try await withServer([.status(202, body: #"{"seq": 1, "interval_ms": 2000}"#)]) { server in
      let report = try await pusher(calls(5), server).push()
      let requests = server.requests
      #expect(report.taken == 5 && requests.count == 5)
      #expect(server.connections == 1)
      let head = try #require(requests.first?.head)
      #expect(head.method == .POST && head.uri == "/ingest/desk")
      #expect(head.headers["Content-Type"] == ["image/jpeg"])
      #expect(head.headers["Authorization"] == ["Bearer secret"])
      #expect(requests.first?.body == ByteBuffer(string: "0"))
    }
  }

  @Test func keepsTheRhythm() async throws {
    try await withServer([.status(202)]) { server in
      let begin = ContinuousClock.now
      _ = try await pusher(numbers(6), server, every: .milliseconds(100)).push()
      let took = ContinuousClock.now - begin
      // Beats 0 to 6, the last of which is the end.
      #expect(took >= .milliseconds(600))
      #expect(server.requests.count <= 6)
    }
  }

  @Test func waitsAsLongAsTheServerAsksAndThenSendsTheNewest() async throws {
    try await withServer([.status(503, headers: ["Retry-After": "1"]), .status(202)]) { server in
      let source = ClosureSource { index in server.requests.count < 2 ? ByteBuffer(string: "\(index)") : nil }
      let report = try await pusher(source, server).push()
      let requests = server.requests
      #expect(report.failures == 1 && requests.count == 2)
      #expect(requests[1].time - requests[0].time >= .milliseconds(980))
      let second = try #require(Int(String(buffer: requests[1].body)))
      // A second is twenty beats: none of them is queued.
      #expect(second >= 19)
    }
  }

  @Test func aRetryBeforeTheNextBeatSendsTheSameStill() async throws {
    try await withServer([.close, .status(202)]) { server in
      let report = try await pusher(calls(2), server, every: .milliseconds(1500)).push()
      #expect(server.requests.map { String(buffer: $0.body) } == ["0", "0", "1"])
      #expect(report.failures == 1 && report.taken == 2)
    }
  }

  @Test func aRefusedStillIsNotTriedAgain() async throws {
    try await withServer([.status(422, body: #"{"detail": "the scan ends early"}"#), .status(202)]) { server in
      let report = try await pusher(calls(3), server).push()
      #expect(report.refused == 1 && report.failures == 0 && report.taken == 2)
      #expect(server.requests.map { String(buffer: $0.body) } == ["0", "1", "2"])
    }
  }

  @Test(arguments: [401, 403, 404]) func aWrongTokenOrAddressEndsItAtOnce(_ status: Int) async throws {
    try await withServer([.status(status, body: #"{"detail": "no such camera"}"#)]) { server in
      let error = await #expect(throws: PushError.self) { _ = try await pusher(numbers(100), server).push() }
      #expect(error?.description.contains("\(status): no such camera") == true)
      #expect(server.requests.count == 1)
    }
  }

  @Test func aDenialAfterASuccessIsTriedAgain() async throws {
    try await withServer([.status(202), .status(401), .status(202)]) { server in
      let report = try await pusher(calls(20), server).push()
      #expect(report.failures == 1 && report.taken > 1)
    }
  }

  @Test func nobodyListeningIsTriedAgainUntilSomebodyDoes() async throws {
    let server = try await ScriptedServer.start([.status(202)])
    let url = server.url
    try await server.stop()
    let target = try PushTarget(url: url, token: "")
    let report = try await Pusher(
      source: numbers(6), target: target, every: .milliseconds(100), status: StatusLine(.silent)
    ).push()
    #expect(report.taken == 0 && report.failures >= 1)
    #expect(report.trouble?.contains("connection refused") == true)
  }

  @Test func followsTheServersIntervalOnlyWhenTold() async throws {
    try await withServer([.status(202, body: #"{"interval_ms": 600}"#)]) { server in
      _ = try await pusher(calls(2), server, every: .milliseconds(20), followsAdvice: true).push()
      let requests = server.requests
      #expect(requests.count == 2)
      // Its own interval is 20 ms; a busy machine may be late with the first.
      #expect(requests[1].time - requests[0].time >= .milliseconds(300))
    }
  }

  @Test(arguments: [true, false]) func cancellationEndsWithinASecond(isWaitingForAnAnswer: Bool) async throws {
    try await withServer([isWaitingForAnAnswer ? .silence : .status(202)]) { server in
      let pusher = try pusher(numbers(1000), server, every: .seconds(5))
      let task = Task { try await pusher.push() }
      while server.requests.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
      let begin = ContinuousClock.now
      task.cancel()
      _ = try await task.value
      #expect(ContinuousClock.now - begin < .seconds(1))
    }
  }

  @Test func aBrokenSourceEndsThePushWithItsError() async throws {
    try await withServer([.status(202)]) { server in
      let source = ClosureSource { _ in throw PushError("the paint is dry") }
      await #expect(throws: PushError("the paint is dry")) { _ = try await pusher(source, server).push() }
    }
  }

  @Test(arguments: ["desk", "ftp://a/b", "http://", "http://host:8081", "http://host:8081/"])
  func anAddressThatCannotBeIsRefused(_ url: String) {
    #expect(throws: PushError.self) { _ = try PushTarget(url: url, token: "secret") }
  }

  @Test func aTokenThatNoHeaderTakesIsRefusedWithoutShowingIt() {
    let error = #expect(throws: PushError.self) { _ = try PushTarget(url: "http://a/ingest/b", token: "geheim\n") }
    #expect(error?.description.contains("geheim") == false)
  }
}

@Suite struct PushSourceTests {
  private let picture = ByteBuffer(bytes: FolderSourceTests.jpeg(7))

  @Test(arguments: ["image/jpeg", "application/octet-stream"])
  func aURLThatAnswersAPictureIsFetchedAtEachBeat(type: String) async throws {
    let server = try await ScriptedServer.start([.picture(picture, type: type)])
    let source = try await PushSource.open(
      "http://127.0.0.1:\(server.port)/shot?x=1", every: .seconds(2), loop: false, quality: 75)
    for index in Int64(0)..<2 {
      #expect(try await source.next(Beat(index: index, time: .seconds(index))) == .still(picture))
    }
    // The request that told what it is brought the first picture too.
    #expect(server.requests.map(\.head.uri) == ["/shot?x=1", "/shot?x=1"])
    #expect(server.connections == 1)
    source.stop()
    try await server.stop()
  }

  @Test func aSnapshotThatFailsIsTroubleThatMayPass() async throws {
    let server = try await ScriptedServer.start([
      .picture(picture, type: "image/jpeg"), .status(500), .picture(picture, type: "image/jpeg"),
    ])
    let source = try await PushSource.open(
      "http://127.0.0.1:\(server.port)/", every: .seconds(2), loop: false, quality: 75)
    #expect(try await source.next(Beat(index: 0, time: .zero)) == .still(picture))
    guard case .nothing(let trouble?) = try await source.next(Beat(index: 1, time: .seconds(2))) else {
      Issue.record("a 500 must be trouble")
      return
    }
    #expect(trouble.contains("5"))
    #expect(try await source.next(Beat(index: 2, time: .seconds(4))) == .still(picture))
    source.stop()
    try await server.stop()
  }

  @Test func aCameraThatIsOffIsSaidWithoutItsPassword() async throws {
    let server = try await ScriptedServer.start([.status(200)])
    let port = server.port
    try await server.stop()
    for scheme in ["http", "rtsp"] {
      let source = try await PushSource.open(
        "\(scheme)://admin:hunter2@127.0.0.1:\(port)/live", every: .seconds(2), loop: false, quality: 75)
      for index in Int64(0)..<2 {
        let next = try await source.next(Beat(index: index, time: .seconds(index)))
        #expect(next == .nothing("camera: connection refused; trying again"))
      }
      source.stop()
    }
  }

  @Test func aRecordingIsSampledByMediaTimeAndEnds() async throws {
    let source = try await PushSource.open(
      "lavfi:testsrc2=size=64x64:rate=10:duration=3", every: .seconds(1), loop: false, quality: 75)
    var stills: [NextStill] = []
    for index in Int64(0)..<4 { stills.append(try await source.next(Beat(index: index, time: .seconds(index)))) }
    let jpegs = stills.filter { if case .still = $0 { true } else { false } }
    #expect(jpegs.count == 3 && Set(jpegs).count == 3)
    #expect(stills.last == .end)
  }

  @Test func aRecordingThatLoopsBeginsAgainWithItsFirstPicture() async throws {
    let source = try await PushSource.open(
      "lavfi:testsrc2=size=64x64:rate=10:duration=2", every: .seconds(1), loop: true, quality: 75)
    var stills: [NextStill] = []
    for index in Int64(0)..<5 { stills.append(try await source.next(Beat(index: index, time: .seconds(index)))) }
    #expect(stills[0] != stills[1])
    #expect([stills[2], stills[3], stills[4]] == [stills[0], stills[1], stills[0]])
  }

  @Test func aRecordingOnAServerIsPlayedFromItsFirstPicture() async throws {
    let file = URL(fileURLWithPath: TemporaryFolder.path() + ".mp4")
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10:duration=3"]
      + ["-movflags", "+faststart", file.path]
    try process.run()
    process.waitUntilExit()
    let bytes = ByteBuffer(bytes: try Data(contentsOf: file))
    let server = try await ScriptedServer.start([.picture(bytes, type: "video/mp4")])
    let local = try await PushSource.open(file.path, every: .seconds(1), loop: false, quality: 75)
    let remote = try await PushSource.open(
      "http://127.0.0.1:\(server.port)/", every: .seconds(1), loop: false, quality: 75)
    for index in Int64(0)..<4 {
      let beat = Beat(index: index, time: .seconds(index))
      let still = try await local.next(beat)
      #expect((still == .end) == (index == 3))
      #expect(try await remote.next(beat) == still)
    }
    try await server.stop()
  }
}
