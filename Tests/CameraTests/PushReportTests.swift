import Camera
import Media
import NIOConcurrencyHelpers
import NIOCore
import Testing

@Suite struct PushReportTests {
  private func report(stills: Int64, every: Ticks = .seconds(2)) -> PushReport {
    var report = PushReport(name: "desk", start: .zero)
    for index in 0..<stills {
      report.take(bytes: 27_400, status: 202, latency: .milliseconds(4), at: every * index)
    }
    return report
  }

  @Test func theLineSaysRateSizeAndAnswer() {
    #expect(report(stills: 812).line() == "desk  812 stills  30.0/min  27.4 kB  202 in 4 ms  0 refused")
  }

  @Test func theFirstStillHasNoRateYet() {
    #expect(report(stills: 1).line() == "desk  1 still  27.4 kB  202 in 4 ms  0 refused")
    #expect(PushReport(name: "desk", start: .zero).line() == "desk  0 stills  0 refused")
  }

  @Test func theRateIsThatOfTheLastSixtyIntervals() {
    var report = report(stills: 100)
    for index in Int64(1)...61 { report.take(bytes: 1, status: 202, latency: .zero, at: .seconds(1000 + index)) }
    #expect(report.tenthsPerMinute == 600)
  }

  @Test func aFailureSaysWhenAndWhy() {
    var report = report(stills: 2)
    report.fail("connection refused", wait: .milliseconds(1_960))
    #expect(report.line().hasSuffix("0 refused  retry in 2.0 s: connection refused"))
    report.take(bytes: 1_234_567, status: 202, latency: .milliseconds(12), at: .seconds(9))
    #expect(report.line().hasSuffix("1.2 MB  202 in 12 ms  0 refused"))
    #expect(report.failures == 1)
  }

  @Test func aRefusalIsCountedAndSaid() {
    var report = report(stills: 2)
    report.refuse("422: the picture does not decode")
    #expect(report.line().hasSuffix("1 refused  422: the picture does not decode"))
    #expect(report.taken == 2)
  }

  @Test func theLineIsCutToTheWidth() {
    let line = report(stills: 812).line(width: 20)
    #expect(line == "desk  812 stills  3…")
    #expect(report(stills: 812).line(width: 0).count <= 1)
  }

  @Test func theSummaryCountsEverything() {
    var report = report(stills: 10)
    report.refuse("no")
    report.fail("no", wait: .zero)
    #expect(report.summary(at: .seconds(20)) == "desk  10 stills taken, 274.0 kB in 20.0 s, 1 refused, 1 try failed")
  }

  @Test func aTerminalIsDrawnOverInPlace() {
    let shared = Shared()
    var line = StatusLine(.terminal, columns: { 12 }, write: { part in shared.text.withLockedValue { $0 += part } })
    line.show(report(stills: 3), at: .zero)
    line.show(report(stills: 4), at: .zero)
    #expect(shared.text.withLockedValue { $0 } == "\rdesk  3 st…\u{1B}[K\rdesk  4 st…\u{1B}[K")
  }

  @Test func aFileGetsALineUponChangeAndEveryTenSeconds() {
    let shared = Shared()
    var line = StatusLine(.lines, write: { part in shared.text.withLockedValue { $0 += part } })
    var report = report(stills: 3)
    func lines() -> Int { shared.text.withLockedValue { $0.split(separator: "\n").count } }
    line.show(report, at: .zero)
    line.show(report, at: .seconds(2))
    #expect(lines() == 1)
    report.refuse("415: not a JPEG")
    line.show(report, at: .seconds(3))
    line.show(report, at: .seconds(5))
    #expect(lines() == 2)
    line.show(report, at: .seconds(13))
    #expect(lines() == 3)
    line.finish(report, at: .seconds(14))
    #expect(
      shared.text.withLockedValue { $0.hasSuffix("3 stills taken, 82.2 kB in 14.0 s, 1 refused, 0 tries failed\n") })
  }

  private final class Shared: Sendable { let text = NIOLockedValueBox("") }
}

@Suite struct PushAnswerTests {
  private func answer(_ status: Int, _ body: String = "", retryAfter: String? = nil) -> PushAnswer {
    PushAnswer(status: status, retryAfter: retryAfter, body: ByteBuffer(string: body))
  }

  @Test func takenReadsTheAdvice() {
    #expect(answer(202, #"{"seq": 812, "interval_ms": 2000, "waves": 3}"#) == .taken(interval: .seconds(2)))
    #expect(answer(204) == .taken(interval: nil))
    #expect(answer(202, #"{"interval_ms": -1}"#) == .taken(interval: nil))
  }

  @Test(arguments: [400, 405, 411, 413, 415, 422]) func aStillThatIsWrongIsRefusedInTheServersWords(_ status: Int) {
    #expect(answer(status, #"{"reason": "corrupt", "detail": "no scan"}"#) == .refused("\(status): no scan"))
    #expect(answer(status, "no scan\nmore") == .refused("\(status): no scan"))
    #expect(answer(status) == .refused("answer \(status)"))
  }

  @Test func wordsFromOutsideCannotDriveTheTerminal() {
    #expect(answer(422, "\u{1B}[2Jbad\u{07}") == .refused("422: [2Jbad"))
    #expect(answer(502, "<html><body>") == .retry("answer 502", after: nil))
  }

  @Test func aWrongTokenOrAddressIsDeniedWithWhatToDo() {
    guard case .denied(let token) = answer(401), case .denied(let path) = answer(404) else {
      Issue.record("401 and 404 must be denials")
      return
    }
    #expect(token.contains("--token") && path.contains("/ingest/CAMERA"))
  }

  @Test func laterMeansNoSoonerThanAsked() {
    #expect(answer(429, retryAfter: "7") == .retry("answer 429", after: .seconds(7)))
    #expect(answer(503, "encoder busy", retryAfter: "soon") == .retry("503: encoder busy", after: nil))
  }
}
