import Foundation
import Media
import Testing

@testable import Check

@Suite struct DeliveryTests {
  private static func answer(
    _ status: Int = 200, _ headers: [String: String] = [:], body: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8],
    without: String? = nil
  ) -> Exchange {
    var all = [
      "content-type": "application/vnd.apple.mpegurl", "access-control-allow-origin": "*", "etag": "\"a\"",
      "cache-control": "public, max-age=1",
    ]
    all.merge(headers) { $1 }
    if let without { all[without] = nil }
    return Exchange(
      url: "http://h/live.m3u8", status: status, headers: all, body: body, asked: .zero, answered: .zero,
      firstByte: .zero, done: .zero)
  }

  @Test("Playlists: type, caching, validator, CORS")
  func playlists() {
    func rules(_ exchange: Exchange, _ kind: DeliveryRules.Kind = .plain, part: Ticks? = .seconds(1)) -> [Rule] {
      DeliveryRules.playlist(exchange, kind, targetDuration: 12, partTarget: part).findings.map(\.rule)
    }
    #expect(rules(Self.answer()) == [])
    #expect(rules(Self.answer(200, ["content-type": "text/plain"])) == [.types])
    #expect(rules(Self.answer(200, ["content-type": "audio/MPEGURL; charset=utf-8"])) == [])
    #expect(rules(Self.answer(without: "access-control-allow-origin")) == [.access])
    #expect(rules(Self.answer(200, ["cache-control": "max-age=2"])) == [.playlistCaching])
    #expect(rules(Self.answer(200, ["cache-control": "max-age=6"]), part: nil) == [])
    #expect(rules(Self.answer(200, ["cache-control": "max-age=7"]), part: nil) == [.playlistCaching])
    #expect(rules(Self.answer(without: "cache-control")) == [.playlistCaching])
    #expect(rules(Self.answer(without: "etag")) == [.playlistCaching])
    #expect(rules(Self.answer(200, ["cache-control": "no-store"]), .directives) == [.playlistCaching])
    #expect(rules(Self.answer(200, ["cache-control": "max-age=72"]), .directives) == [])
  }

  @Test("A playlist with neither name nor type of one is worse than one with a name")
  func nameless() {
    var exchange = Self.answer(200, ["content-type": "text/plain"])
    #expect(DeliveryRules.playlist(exchange, .multivariant).holds)
    exchange.url = "http://h/live"
    #expect(!DeliveryRules.playlist(exchange, .multivariant).holds)
  }

  @Test("Media: type and caching")
  func media() {
    let good = ["content-type": "video/mp4", "cache-control": "public, max-age=31536000, immutable"]
    func rules(_ headers: [String: String], _ format: DeliveryRules.Format = .mp4) -> [Rule] {
      DeliveryRules.media(Self.answer(200, headers), format, window: .seconds(72)).findings.map(\.rule)
    }
    #expect(rules(good) == [])
    #expect(rules(good, .transportStream) == [.types])
    #expect(rules(good.merging(["content-type": "video/mp2t"]) { $1 }, .transportStream) == [])
    #expect(rules(good.merging(["cache-control": "max-age=10"]) { $1 }) == [.mediaCaching])
    #expect(rules(good.merging(["cache-control": "no-store"]) { $1 }) == [.mediaCaching])
  }

  @Test("Gzip for those who take it, with Vary, and for nobody else")
  func compression() {
    let plain = Self.answer()
    let packed = Self.answer(200, ["content-encoding": "gzip", "vary": "Accept-Encoding"])
    func found(_ accepting: Exchange, _ refusing: Exchange) -> [Rule.Severity] {
      DeliveryRules.compression(accepting: accepting, refusing: refusing).findings.map(\.severity)
    }
    #expect(found(packed, plain) == [])
    #expect(found(plain, plain) == [.should])
    #expect(found(Self.answer(200, ["content-encoding": "gzip"]), plain) == [.must])
    #expect(found(packed, packed) == [.must])
  }

  @Test("Nothing that needs a dictionary for those who have another, and Vary where there are dictionaries")
  func dictionaries() {
    func found(_ fields: [String: String], status: Int = 200) -> [Rule.Severity] {
      DeliveryRules.dictionaries(Self.answer(status, fields)).findings.map(\.severity)
    }
    #expect(found([:]) == [] && found(["content-encoding": "br", "vary": "Accept-Encoding"]) == [])
    #expect(found(["use-as-dictionary": "match=\"a\"", "vary": "accept-encoding, available-dictionary"]) == [])
    #expect(found(["use-as-dictionary": "match=\"a\"", "vary": "Accept-Encoding"]) == [.should])
    #expect(found(["use-as-dictionary": "match=\"a\"", "vary": "*"]) == [])
    #expect(found(["content-encoding": "dcz", "vary": "Accept-Encoding, Available-Dictionary"]) == [.must])
    #expect(found(["content-encoding": "DCB", "use-as-dictionary": "match=\"a\""]) == [.must, .should])
    #expect(found(["content-encoding": "dcz"], status: 503) == [])
  }

  @Test("HEAD, Range and If-None-Match")
  func access() {
    let whole = Self.answer()
    let good = DeliveryRules.Accesses(
      whole: whole, head: Self.answer(200, ["content-length": "8"], body: []), first: Self.answer(206, body: [1]),
      suffix: Self.answer(206, body: [4, 5, 6, 7, 8]), past: Self.answer(416, body: []),
      matching: Self.answer(304, body: []), matchingAny: Self.answer(304, body: []))
    func found(_ change: (inout DeliveryRules.Accesses) -> Void) -> [Rule.Severity] {
      var probes = good
      change(&probes)
      return DeliveryRules.access(probes).findings.map(\.severity)
    }
    #expect(found { _ in } == [])
    #expect(found { $0.head = Self.answer(405) } == [.should])
    #expect(found { $0.head.headers["content-length"] = "9" } == [.must])
    #expect(found { $0.first = whole } == [.should])
    #expect(found { $0.first.body = [2] } == [.must])
    #expect(found { $0.suffix = Self.answer(416) } == [.should])
    #expect(found { $0.past = Self.answer(500) } == [.should])
    #expect(found { $0.matching = whole } == [.should])
    #expect(found { $0.matchingAny = whole } == [.should])
    #expect(found { ($0.matching, $0.matchingAny) = (nil, nil) } == [])
  }

  @Test("What must be refused is refused with the right number and not kept")
  func refusals() {
    func found(_ exchange: Exchange) -> Int {
      DeliveryRules.refusal(exchange, of: "it", expected: 400, rule: .refusal, section: "").findings.count
    }
    #expect(found(Self.answer(400, ["cache-control": "no-store"])) == 0)
    #expect(found(Self.answer(400)) == 1)
    #expect(found(Self.answer(400, without: "cache-control")) == 1)
    #expect(found(Self.answer(200)) == 1)
    #expect(found(Self.answer(404, ["cache-control": "no-store"])) == 1)
  }

  @Test("The report says of each rule how it came out, and is JSON where that is asked for")
  func report() throws {
    var verdicts = Verdicts()
    verdicts.judge(.form, .pace)
    for number in 1...3 {
      verdicts.add(Finding(.pace, "late \"by\" \(number) s", url: "u", place: "segment \(number)"))
    }
    verdicts.add(Finding(.types, "odd", url: "u"))
    let report = Report(
      url: "u", mediaURL: "m", watched: .seconds(9), counts: Report.Counts(), verdicts: verdicts, isLowLatency: false)
    #expect(!report.holds)
    #expect(report.outcome(.form) == .held)
    #expect(report.outcome(.pace) == .failed)
    #expect(report.outcome(.partDuration) == .notApplicable)
    let lines = report.text.split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("✓ P1") } && lines.contains { $0.hasPrefix("✗ H2") })
    #expect(lines.contains { $0.hasPrefix("! D1") } && lines.contains { $0.hasPrefix("– L1") })
    #expect(lines.contains { $0.contains("late \"by\" 1 s (3 times, first here)") })
    let json = try #require(try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any])
    #expect((json["rules"] as? [Any])?.count == Rule.allCases.count)
    #expect((json["findings"] as? [Any])?.count == 4)
    #expect(json["holds"] as? Bool == false)
  }

  @Test("A stream with thousands of faults fills no memory")
  func bounded() {
    var verdicts = Verdicts()
    for _ in 0..<5_000 { verdicts.add(Finding(.pace, "late", url: "")) }
    #expect(verdicts.findings.count == Verdicts.limit)
    #expect(verdicts.counts[.pace] == 5_000)
  }
}
