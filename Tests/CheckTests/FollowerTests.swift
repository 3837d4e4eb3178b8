import Media
import Testing

@testable import Check

@Suite struct FollowerTests {
  private func follow(_ fault: StreamServer.Fault, for time: Ticks = .seconds(4)) async throws -> Report {
    let server = try await StreamServer.start(fault)
    let result: Result<Report, any Error>
    do { result = .success(try await Follower.follow(server.url, for: time)) } catch { result = .failure(error) }
    try await server.stop()
    return try result.get()
  }

  @Test("A good low latency stream over HTTP holds every rule that concerns it")
  func good() async throws {
    var report = try await follow(.none)
    #expect(report.verdicts.findings == [], "\(report.text)")
    let judged: Set<Rule> = [
      .form, .targetDuration, .pace, .appending, .mediaSequence, .window, .programDateTime, .independence, .liveness,
      .variant, .partDuration, .serverControl, .blockingReload, .refusal, .delta, .preloadHint, .types, .mediaCaching,
      .openSegment, .playlistCaching, .compression, .access, .fetchable, .timing, .declaration,
    ]
    // Where other tests have the machine, not all that there is to judge comes by in four seconds.
    for time: Ticks in [.seconds(8), .seconds(16)] where !judged.isSubset(of: report.verdicts.judged) {
      report = try await follow(.none, for: time)
      #expect(report.verdicts.findings == [], "\(report.text)")
    }
    #expect(judged.subtracting(report.verdicts.judged) == [])
    #expect(report.outcome(.dateRange) == .notApplicable && report.outcome(.renditionReport) == .notApplicable)
    #expect(report.isLowLatency && report.counts.parts >= 8 && report.counts.segments >= 6)
  }

  @Test(
    "A server with a fault is found out",
    arguments: [
      (StreamServer.Fault.ignoresDirectives, Rule.blockingReload), (.takesAnyDirective, .refusal), (.stops, .pace),
      (.losesSegments, .fetchable), (.trickles, .preloadHint), (.skipsTooMuch, .delta), (.refusesHints, .preloadHint),
      (.holdsOpenSegments, .openSegment), (.changesOpenSegments, .openSegment), (.breaksOpenSegmentsOff, .openSegment),
      (.refusesOpenSegments, .openSegment),
    ])
  func faults(fault: StreamServer.Fault, rule: Rule) async throws {
    var report = try await follow(fault, for: .seconds(fault == .stops || fault == .trickles ? 6 : 4))
    for time: Ticks in [.seconds(10), .seconds(20)] where report.outcome(rule) == .notApplicable {
      report = try await follow(fault, for: time)
    }
    #expect(report.outcome(rule) == .failed, "\(report.text)")
  }

  @Test("Where nothing can be followed the error says what was there")
  func nothing() async throws {
    let server = try await StreamServer.start(.none)
    let missing = server.url.replacing("index", with: "nowhere")
    await #expect(throws: FollowError.self) { try await Follower.follow(missing, for: .seconds(1)) }
    let media = server.url.replacing("index.m3u8", with: "init.mp4")
    await #expect(throws: FollowError.self) { try await Follower.follow(media, for: .seconds(1)) }
    try await server.stop()
  }
}
