import Testing

@testable import Records

@Suite struct HourTallyTests {
  private var tally = HourTally()

  private mutating func take(
    _ shown: CameraReading.Shown = .live, stills: Int64 = 0, waves: Int64 = 0, elapsed: Int64 = 2000,
    sent: SentBytes = SentBytes(), watched: Int64 = 0, viewers: Int = 0
  ) -> Sums? {
    tally.take(
      [CameraReading(camera: "desk", shown: shown, stills: stills, stillBytes: stills * 100, waves: waves)],
      sent: ["desk": sent, "": sent], watched: ["desk": watched], viewers: ["desk": viewers], elapsed: elapsed)["desk"]
  }

  @Test mutating func whatGrewBelongsToTheReading() {
    #expect(take(stills: 3, elapsed: 0)?.stills == 3)
    #expect(take(stills: 3) == nil)
    let sums = take(stills: 5, waves: 2, watched: 7, viewers: 4)
    #expect(sums?.stills == 2 && sums?.stillBytes == 200 && sums?.waves == 2)
    #expect(sums?.watchedSeconds == 7 && sums?.mostViewers == 4)
  }

  @Test mutating func aCounterThatBeganAnewCountsFromZero() {
    _ = take(stills: 100, waves: 50)
    #expect(take(stills: 4, waves: 50)?.stills == 4)
  }

  @Test mutating func timeBelongsToWhatIsShownAndLosesNoMilliseconds() {
    var total = Sums()
    for index in 0..<3000 {
      let shown: CameraReading.Shown = index < 1000 ? .off : index < 2000 ? .veiled : .paused
      if let sums = take(shown, elapsed: 1003) { total += sums }
    }
    #expect(total.offSeconds == 1003 && total.veiledSeconds == 1003 && total.pausedSeconds == 1003)
  }

  @Test mutating func liveTimeIsNotCounted() {
    for _ in 0..<10 { #expect(take(.live) == nil) }
  }

  @Test mutating func bytesAreSumsByKind() {
    var sent = SentBytes()
    sent[.media] = 1000
    #expect(take(sent: sent)?.sent[.media] == 1000)
    sent[.media] = 1500
    sent[.page] = 7
    let sums = take(sent: sent)
    #expect(sums?.sent[.media] == 500 && sums?.sent[.page] == 7 && sums?.sent.total == 507)
  }
}
