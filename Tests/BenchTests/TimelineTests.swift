import Media
import NIOCore
import Testing

@testable import Bench

/// Which still a picture shows.
struct TimelineTests {
  private let start = ContinuousClock.now

  private func timeline(_ milliseconds: [Int64]) -> StillTimeline {
    StillTimeline(
      pushes: milliseconds.enumerated().map { index, at in
        StillTimeline.Push(
          still: index % 3, began: start + .milliseconds(at - 5), ended: start + .milliseconds(at),
          date: WallTime(milliseconds: at))
      }, announcements: milliseconds.map { start + .milliseconds($0 / 1000 * 1000 + 1000) },
      fed: [0, 0, 0, 0, 1, 1, -1])
  }

  private func piece(_ begins: ViewLog.Beginning, _ duration: Ticks) -> ViewLog.Piece {
    ViewLog.Piece(bytes: ByteBuffer(), begins: begins, duration: duration, ended: start)
  }

  @Test func stillsStandInTheSlotAfterTheOneTheyCameIn() {
    let timeline = timeline([1200, 3900, 5100])
    let step = Ticks.milliseconds(500)
    func shown(_ date: Int64, _ duration: Ticks = .seconds(1)) -> [Int?] {
      timeline.shown(in: piece(.date(WallTime(milliseconds: date)), duration), step: step, part: .seconds(1))
    }
    #expect(shown(1000) == [nil, nil])
    #expect(shown(2000) == [0, 0])
    #expect(shown(3000, .seconds(4)) == [0, 0, 1, 1, 1, 1, 2, 2])
  }

  @Test func severalStillsOfASlotKeepTheirRhythm() {
    let timeline = timeline([100, 1900])
    let piece = piece(.date(WallTime(milliseconds: 2000)), .seconds(2))
    #expect(timeline.shown(in: piece, step: .milliseconds(500), part: .seconds(2)) == [0, 0, 0, 1])
  }

  @Test func ffmpegsPicturesAreTheFedOnes() {
    let piece = piece(.picture(2), .seconds(3))
    #expect(
      timeline([0, 2000]).shown(in: piece, step: .milliseconds(500), part: .seconds(1)) == [0, 0, 1, 1, nil, nil])
  }

  @Test func theNewestPictureIsTheOneThatWasAnnounced() {
    let timeline = timeline([1200, 3900])
    #expect(timeline.latest(at: start + .milliseconds(1900)) == nil)
    #expect(timeline.latest(at: start + .milliseconds(2100)) == 0)
    #expect(timeline.latest(at: start + .milliseconds(3950)) == 0)
    #expect(timeline.latest(at: start + .milliseconds(4100)) == 1)
  }

  @Test func camerasAreLateByPhasesThatFillTheInterval() {
    let every = Ticks.seconds(2)
    let late = (0..<60).map { StillFeed.due($0, every: every) - every * Int64($0) }.sorted()
    #expect(late.allSatisfy { $0 >= .zero && $0 < .seconds(1) })
    for (index, delay) in late.enumerated() {
      #expect(abs(delay.milliseconds - Int64(index) * 1000 / 60) < 40, "phase \(index)")
    }
  }

  @Test func aMachineThatWasTooBusyIsComplainedOf() {
    var timeline = timeline((0..<40).map { Int64($0) * 2000 })
    #expect(timeline.complaint(about: 0..<40) == nil)
    timeline.announcements.removeLast(8)
    #expect(timeline.complaint(about: 0..<40)?.contains("7 not shown") == true)
    timeline = self.timeline((0..<40).map { Int64($0) * 2000 })
    for index in 0..<3 { timeline.pushes[index].late = .milliseconds(400) }
    #expect(timeline.complaint(about: 0..<40)?.contains("3 were pushed or taken late") == true)
  }

  @Test func theKernelsTableIsRead() {
    let check = SocketCheck(
      """
      0      0      127.0.0.1:41000 127.0.0.1:8080 cubic wscale:7,7 rto:204 bytes_sent:700 bytes_acked:701 bytes_received:5000 segs_out:9
      0      0      127.0.0.1:41002 127.0.0.1:8080 cubic wscale:7,7 rto:204 bytes_sent:10 bytes_acked:11 segs_out:9
      """)
    #expect(check.bytes(ofPorts: [41_000, 41_002]) == 5_710)
    #expect(check.bytes(ofPorts: [41_000, 41_004]) == nil)
  }
}
