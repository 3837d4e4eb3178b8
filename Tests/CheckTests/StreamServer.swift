import Media
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import Playlist
import TestSupport

/// A low latency origin on a free port of the loopback: one-second segments in quarter-second parts, and one fault.
final class StreamServer: Sendable {
  enum Fault: Sendable, CaseIterable {
    case none, ignoresDirectives, takesAnyDirective, stops, losesSegments, trickles, skipsTooMuch, refusesHints
    /// What can be wrong with segments that are asked for while they are made.
    case holdsOpenSegments, changesOpenSegments, breaksOpenSegmentsOff, refusesOpenSegments
  }

  private static let part = Ticks.milliseconds(250)
  private static let firstPart = 80
  private let fault: Fault
  private let start = ContinuousClock.now
  private let server: NIOLockedValueBox<TestServer?> = NIOLockedValueBox(nil)

  static func start(_ fault: Fault) async throws -> StreamServer {
    let stream = StreamServer(fault)
    let server = try await TestServer.start { stream.steps($0.head) }
    stream.server.withLockedValue { $0 = server }
    return stream
  }

  private init(_ fault: Fault) { self.fault = fault }

  var url: String { "http://127.0.0.1:\(server.withLockedValue { $0?.port } ?? 0)/index.m3u8" }

  func stop() async throws { try await server.withLockedValue { $0 }?.stop() }

  // MARK: The stream

  private var elapsed: Ticks { Ticks(ContinuousClock.now - start) }

  /// How many parts there are, counted from the first of segment 0.
  private var published: Int {
    let count = Self.firstPart + Int(elapsed.floorDivided(by: Self.part))
    return fault == .stops ? min(count, Self.firstPart + 8) : count
  }

  private func playlist() -> MediaPlaylist {
    let (end, open) = published.quotientAndRemainder(dividingBy: 4)
    let day = WallTime(milliseconds: 1_795_253_400_000)
    func parts(_ number: Int, _ count: Int) -> [MediaPlaylist.Part] {
      (0..<count).map { .init(uri: "\(number).\($0).mp4", duration: Self.part, independent: $0 == 0) }
    }
    return MediaPlaylist(
      targetDuration: 1, mediaSequence: end - 10, independentSegments: true,
      serverControl: .init(
        canBlockReload: true, canSkipUntil: .seconds(6), holdBack: .seconds(3), partHoldBack: .milliseconds(750)),
      partTarget: Self.part,
      segments: (end - 10..<end).map {
        .init(
          uri: "\($0).mp4", duration: .seconds(1), programDateTime: day.advanced(by: .seconds(Int64($0))),
          map: .init(uri: "init.mp4"), parts: $0 >= end - 3 ? parts($0, 4) : [])
      },
      trailingParts: parts(end, open), trailingMap: .init(uri: "init.mp4"),
      trailingProgramDateTime: day.advanced(by: .seconds(Int64(end))), preloadHint: .init(uri: "\(end).\(open).mp4"))
  }

  struct Answer {
    var status = 200
    var type = "video/mp4"
    var caching = "public, max-age=31536000, immutable"
    var body: ByteBuffer
    /// From when on it can be sent.
    var time = Ticks.zero
    var isPlaylist = false
    /// The segment that comes next.
    var next: Int?
    /// The parts of a segment that is being made, each with the time from when on it can be sent.
    var pieces: [(time: Ticks, body: ByteBuffer)] = []

    static func error(_ status: Int) -> Answer {
      Answer(status: status, type: "application/json", caching: "no-store", body: ByteBuffer(string: "{}"))
    }
  }

  /// What a request is answered with, and when.
  private func answer(_ uri: String) -> Answer {
    let pieces = uri.split(separator: "?", maxSplits: 1)
    switch pieces.first {
    case "/index.m3u8":
      let text =
        "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=20000,AVERAGE-BANDWIDTH=20000,CODECS=\"avc1.42001E\",RESOLUTION=64x48,"
        + "FRAME-RATE=4.000\nlive.m3u8\n"
      return Answer(type: Self.type, caching: "max-age=1", body: ByteBuffer(string: text), isPlaylist: true)
    case "/live.m3u8": return playlistAnswer(pieces.count > 1 ? pieces[1] : "")
    case "/init.mp4": return Answer(body: ByteBuffer(bytes: SampleMedia.initSegment(step: 250)))
    default: return media(String((pieces.first ?? "").dropFirst()))
    }
  }

  private static let type = "application/vnd.apple.mpegurl"

  private func playlistAnswer(_ query: Substring) -> Answer {
    var values: [Substring: Substring] = [:]
    for parameter in query.split(separator: "&") {
      let pair = parameter.split(separator: "=")
      if pair.count == 2 { values[pair[0]] = pair[1] }
    }
    var answer = Answer(
      type: Self.type, caching: "public, max-age=\(query.isEmpty ? 1 : 6)", body: ByteBuffer(), isPlaylist: true)
    guard !values.isEmpty, fault != .ignoresDirectives else { return answer }
    let newest = published / 4
    let sequence = values["_HLS_msn"].flatMap { Int($0) }
    let isBad = sequence == nil || (sequence ?? 0) > newest + 2
    if isBad { return fault == .takesAnyDirective ? answer : .error(400) }
    let wanted = (sequence ?? 0) * 4 + (values["_HLS_part"].flatMap { Int($0) } ?? 3)
    answer.time = Self.part * Int64(wanted + 1 - Self.firstPart)
    return answer
  }

  private func media(_ name: String) -> Answer {
    let numbers = name.split(separator: ".").compactMap { $0 == "mp4" ? nil : Int($0) }
    guard name.hasSuffix(".mp4"), (1...2).contains(numbers.count), numbers.allSatisfy({ $0 < 10_000 }) else {
      return .error(404)
    }
    if numbers.count == 1, numbers[0] == published / 4, fault != .refusesOpenSegments { return open(numbers[0]) }
    if numbers.count == 1 {
      guard numbers[0] < published / 4, !(fault == .losesSegments && numbers[0] % 2 == 0) else { return .error(404) }
      return Answer(
        body: ByteBuffer(bytes: (0..<4).flatMap { Self.fragment(numbers[0] * 4 + $0) }), next: numbers[0] + 1)
    }
    let index = numbers[0] * 4 + numbers[1]
    guard numbers[1] < 4, index <= published, fault != .refusesHints || index < published else { return .error(404) }
    return Answer(
      body: ByteBuffer(bytes: Self.fragment(index)), time: Self.part * Int64(index + 1 - Self.firstPart))
  }

  private func open(_ number: Int) -> Answer {
    var answer = Answer(body: ByteBuffer(), next: number + 1)
    let end = Self.part * Int64(number * 4 + 6 - Self.firstPart)
    for index in number * 4..<number * 4 + (fault == .breaksOpenSegmentsOff ? 3 : 4) {
      var bytes = Self.fragment(index)
      if fault == .changesOpenSegments, index % 4 == 2 { bytes[bytes.count - 1] ^= 1 }
      let time = Self.part * Int64(index + 1 - Self.firstPart)
      answer.pieces.append((fault == .holdsOpenSegments ? end : time, ByteBuffer(bytes: bytes)))
    }
    return answer
  }

  private static func fragment(_ index: Int) -> [UInt8] {
    SampleMedia.fragment(start: index * 250, pictures: 1, isIDR: index % 4 == 0)
  }

  // MARK: HTTP

  private func steps(_ request: HTTPRequestHead) -> [TestServer.Step] {
    let answer = answer(request.uri)
    guard answer.pieces.isEmpty else { return openSteps(answer) }
    let wait = max(.zero, answer.time - elapsed)
    guard fault == .trickles, wait > .zero, !answer.isPlaylist else {
      return [.wait(Self.time(wait + .milliseconds(1))), .then { self.wholeSteps(request, answer) }]
    }
    let (head, body) = message(request, answer)
    let middle = body.readableBytes / 2
    return [
      .head(head), .body(body.getSlice(at: 0, length: middle) ?? ByteBuffer()),
      .wait(Self.time(wait + .milliseconds(1501))),
      .body(body.getSlice(at: middle, length: body.readableBytes - middle) ?? ByteBuffer()), .end,
    ]
  }

  private static func time(_ ticks: Ticks) -> TimeAmount { .nanoseconds(ticks.count * 100_000 / 9) }

  /// The head of an open segment at once and each piece at its time.
  private func openSteps(_ answer: Answer) -> [TestServer.Step] {
    let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: Self.headers(answer))
    var (steps, now) = ([TestServer.Step.head(head)], elapsed)
    for piece in answer.pieces {
      let wait = max(.zero, piece.time - now)
      steps += [.wait(Self.time(wait)), .body(piece.body)]
      now = now + wait
    }
    return steps + [fault == .breaksOpenSegmentsOff ? .close : .end]
  }

  private func wholeSteps(_ request: HTTPRequestHead, _ answer: Answer) -> [TestServer.Step] {
    let (head, body) = message(request, answer)
    return request.method == .HEAD ? [.head(head), .end] : [.head(head), .body(body), .end]
  }

  private static func headers(_ answer: Answer) -> HTTPHeaders {
    var headers: HTTPHeaders = [
      "Content-Type": answer.type, "Cache-Control": answer.caching, "Access-Control-Allow-Origin": "*",
    ]
    if let next = answer.next { headers.add(name: "Link", value: "<\(next).mp4>; rel=\"next\"") }
    return headers
  }

  /// An answer as it is now, with compression, conditions and ranges.
  private func message(_ request: HTTPRequestHead, _ answer: Answer) -> (HTTPResponseHead, ByteBuffer) {
    var (headers, status) = (Self.headers(answer), answer.status)
    var body = answer.isPlaylist && request.uri.hasPrefix("/live") ? playlistBytes(request.uri) : answer.body
    if answer.isPlaylist {
      headers.add(name: "Vary", value: "Accept-Encoding")
      if request.headers.first(name: "Accept-Encoding") == "gzip" {
        body = body.gzipped()
        headers.add(name: "Content-Encoding", value: "gzip")
      }
    }
    let etag = "\"\(answer.isPlaylist ? body.hashValue : request.uri.hashValue)\""
    if status == 200 { headers.add(name: "ETag", value: etag) }
    if answer.isPlaylist, request.headers.first(name: "If-None-Match") == etag { (status, body) = (304, ByteBuffer()) }
    if status == 200, !answer.isPlaylist { (status, body) = Self.conditional(request, body) }
    headers.add(name: "Content-Length", value: "\(body.readableBytes)")
    return (HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers), body)
  }

  private func playlistBytes(_ uri: String) -> ByteBuffer {
    let playlist = playlist()
    guard uri.contains("_HLS_skip") else { return playlist.render() }
    let boundary = fault == .skipsTooMuch ? Ticks.seconds(2) : .seconds(6)
    return (playlist.delta(skipUntil: boundary) ?? playlist).render()
  }

  private static func conditional(_ request: HTTPRequestHead, _ body: ByteBuffer) -> (Int, ByteBuffer) {
    if request.headers.contains(name: "If-None-Match") { return (304, ByteBuffer()) }
    guard let range = request.headers.first(name: "Range")?.dropFirst("bytes=".count) else { return (200, body) }
    let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
    let size = body.readableBytes
    let first = ends[0] ?? size - (ends[1] ?? 0)
    guard first < size else { return (416, ByteBuffer()) }
    let last = ends[0] == nil ? size - 1 : min(size - 1, ends[1] ?? size - 1)
    return (206, body.getSlice(at: first, length: last - first + 1) ?? ByteBuffer())
  }
}
