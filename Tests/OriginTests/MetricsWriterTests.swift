import Access
import Media
import NIOCore
import Testing

@testable import Origin

@Suite struct MetricsWriterTests {
  @Test(
    arguments: [
      (0, "0"), (1, "0.000000001"), (5_000_000, "0.005"), (1_000_000_000, "1"), (60_500_000_000, "60.5"),
      (1_700_000_000_123_000_000, "1700000000.123"),
    ] as [(Int64, String)])
  func nanosecondsAreWrittenAsSeconds(_ nanoseconds: Int64, _ text: String) {
    #expect(MetricsWriter.seconds(nanoseconds) == text)
  }

  @Test func aHistogramHasItsRangesTheSumAndTheCount() {
    let histogram = Histogram(milliseconds: [5, 1000])
    for milliseconds in [1, 2, 7, 2000] as [Int64] { histogram.add(nanoseconds: milliseconds * 1_000_000) }
    var writer = MetricsWriter()
    writer.histograms("work_seconds", "Work.", [([("camera", "desk")], histogram)])
    #expect(
      String(buffer: writer.text) == """
        # HELP quietcam_work_seconds Work.
        # TYPE quietcam_work_seconds histogram
        quietcam_work_seconds_bucket{camera="desk",le="0.005"} 2
        quietcam_work_seconds_bucket{camera="desk",le="1"} 3
        quietcam_work_seconds_bucket{camera="desk",le="+Inf"} 4
        quietcam_work_seconds_sum{camera="desk"} 2.01
        quietcam_work_seconds_count{camera="desk"} 4

        """)
  }

  @Test(
    arguments: [
      ("/desk/live.m3u8", .playlist), ("/desk/live.m3u8?_HLS_msn=7&_HLS_part=1", .reload),
      ("/desk/live.m3u8?a=1&_HLS_msn=7", .reload), ("/desk/7.0.mp4", .media), ("/desk/latest.jpg?x.mp4", .picture),
      ("/desk/~link/events", .events), ("/desk/", .page), ("/", .page), ("", .page), ("/ingest/desk", .still),
      ("/cameras/desk/pause", .operation), ("/metrics", .operation), ("/status", .operation),
    ] as [(String, AnswerTimes.Kind)])
  func theAddressSaysWhatIsAskedFor(_ target: String, _ kind: AnswerTimes.Kind) {
    #expect(AnswerTimes.Kind(target: target) == kind)
  }

  @Test func answersAreCountedByKindAndStatus() {
    let answers = AnswerTimes([.playlist, .page])
    answers.add(.playlist, status: 200, after: .milliseconds(3))
    answers.add(.still, status: 404, after: .milliseconds(3))
    answers.add(.page, status: 599, after: .milliseconds(3))
    answers.add(.page, status: 1000, after: .milliseconds(3))
    #expect(answers.counted == [0, 1, 0, 1, 1])
    #expect(answers.times.map(\.histogram.counted.count) == [1, 3])
  }
}
