import Media
import NIOCore
import Playlist
import Testing

@testable import Bench

/// The judge of `bench veil` on sightings that are made up: it finds each leak that is planted, and nothing where there
/// is none.
@Suite struct VeilResultTests {
  enum Leak: String, CaseIterable {
    case lateness, hiddenStills, interval, quantizer, idrPictureID, sizes, drift, events, edgeOfCounters
  }

  private let part: Int64 = 1_000_000
  private let stretch: Int64 = 60_000_000

  /// A stream of four parts a segment and a camera with a timer of 1.55 s, live and veiled in turn.
  private func attack(_ leaks: Set<Leak>, seed: UInt64) -> VeilBench.Record {
    var numbers = SeededNumbers(seed: seed)
    var seen = VeilSightings(part: part)
    let kinds: [VeilStretch.Kind] = [.live, .veiled, .control, .veiled, .live, .control, .veiled, .control, .live]
    let stretches = kinds.enumerated().map { index, kind in
      let changes = index > 0 && (kind == .veiled) != (kinds[index - 1] == .veiled)
      return VeilStretch(
        kind: kind, begin: Int64(index) * stretch, end: Int64(index + 1) * stretch, isEdge: changes)
    }
    var (timer, sent, due) = (Int64(300_000), [Int64](), Int64(300_000))
    var number = 0
    var parity = 0
    var times: [Int64] = []
    while due < stretch * Int64(kinds.count) {
      sent.append(due)
      let isVeiled = kinds[Int(due / stretch)] == .veiled
      timer += 1_550_000
      var shown = due
      if leaks.contains(.drift), isVeiled { shown += Int64.random(in: -200_000...200_000, using: &numbers) }
      if leaks.contains(.interval), isVeiled, times.count % 6 == 0 { shown += 250_000 }
      times.append(shown)
      due = timer + Int64.random(in: 0...100_000, using: &numbers)
    }
    for index in 0..<Int(stretch * Int64(kinds.count) / part) {
      let begins = Int64(index) * part
      let kind = kinds[Int(begins / stretch)]
      let isVeiled = kind == .veiled
      let hasStill = sent.contains { (begins..<begins + part).contains($0) }
      var late = 250_000 + Int64.random(in: 0...3000, using: &numbers)
      if leaks.contains(.lateness), isVeiled { late += 2500 }
      if leaks.contains(.hiddenStills), isVeiled, hasStill { late += 2500 }
      number += 1
      if leaks.contains(.edgeOfCounters), index > 0, kinds[Int((begins - part) / stretch)] != kind { number += 1 }
      let isFirst = index % 4 == 0
      if isFirst { parity = leaks.contains(.idrPictureID) ? 1 - parity : 0 }
      if leaks.contains(.idrPictureID), isVeiled, index % 20 == 0 { parity = 1 - parity }
      var bytes = (isFirst ? 5000 : hasStill ? 2000 : 60) + Int.random(in: 0...400, using: &numbers)
      if leaks.contains(.sizes), isVeiled { bytes += 900 }
      var seenPart = VeilSightings.Part(
        listed: begins + part + late, came: begins + part + late + Int64.random(in: 300...900, using: &numbers),
        begins: begins, bytes: bytes, counters: ["mfhd": number], pictures: [bytes - 100], lines: 60)
      if isFirst { seenPart.counters["idr_pic_id"] = parity }
      let quantizer = Double(Int.random(in: 0...4, using: &numbers)) + (leaks.contains(.quantizer) && isVeiled ? 2 : 0)
      seenPart.fields["P slice_qp_delta"] = quantizer
      seen.parts.append(seenPart)
      seen.pieces.append(VeilSightings.Piece(came: seenPart.listed + 100, bytes: bytes))
    }
    for time in times {
      let isVeiled = kinds[min(kinds.count - 1, Int(time / stretch))] == .veiled
      let late = 1_000_000 - floorModulo(time, part) + 250_000 + Int64.random(in: 0...3000, using: &numbers)
      let bytes = Int.random(in: 8000...9000, using: &numbers)
      let came = time + late + (leaks.contains(.events) && isVeiled ? 6000 : 0)
      seen.events.append(
        VeilSightings.Event(came: came, time: time, bytes: bytes, pictureCame: came + 900, pictureBytes: bytes))
    }
    seen.sort()
    return VeilBench.Record(seen: seen, stretches: stretches, sent: sent, window: 10_000_000, seed: 1)
  }

  private func judge(_ record: VeilBench.Record) -> VeilResult {
    VeilResult.judge(record.seen, record.stretches, window: record.window, sent: record.sent, rounds: 2000)
  }

  @Test(arguments: 1...2) func whereNothingLeaksNothingTells(seed: UInt64) {
    let result = judge(attack([], seed: seed))
    #expect(result.telling.isEmpty, "\(result)")
    #expect(result.windows["veiled"] == 21 && result.windows["control"] == 19 && result.windows["edge"] == 6)
    #expect(result.rows.count > 30)
    #expect("\(result)".contains("Nothing tells"))
  }

  @Test func eachPlantedLeakIsFound() throws {
    let result = judge(attack(Set(Leak.allCases), seed: 4))
    for feature in [
      "part listed in its slot, median ms", "lateness of the parts that hide a still",
      "time between events, longest ms",
      "P slice_qp_delta", "idr_pic_id, unusual steps", "bytes of parts, mean", "events off a steady timer, ms",
      "event within the slot, mean ms", "mfhd, unusual steps",
    ] {
      let row = try #require(result.rows.first { $0.feature == feature })
      #expect(row.tells, "\(result)")
    }
    #expect(result.rows[0].tells && "\(result)".contains("TELLS"))
    for feature in ["latest.jpg, bytes", "lines of the playlist, mean", "latest.jpg after the event, median ms"] {
      let row = try #require(result.rows.first { $0.feature == feature })
      #expect(!row.tells, "nothing was planted there")
    }
  }

  @Test func whatAPartShowsItselfSaysNothingOfWhatItHides() throws {
    // A steady timer: every second part shows a new picture and is later for it, and the others hide the stills.
    let part: Int64 = 1_000_000
    var (seen, sent) = (VeilSightings(part: part), [Int64]())
    for index in Int64(0)..<60 {
      let (begins, isNew) = (index * part, index % 2 == 0)
      let listed = begins + part + (isNew ? 5000 : 2000) + index * 7 % 60
      seen.parts.append(
        VeilSightings.Part(listed: listed, came: listed, begins: begins, bytes: 900, pictures: [isNew ? 800 : 19]))
      if !isNew { sent.append(begins + 300_000) }
    }
    let stretch = VeilStretch(kind: .veiled, begin: 0, end: 60 * part, isEdge: false)
    let found = VeilFeatures.lateness(seen, hiding: sent, within: [stretch])
    #expect(found.with.count == 30 && found.without.count == 30)
    let test = try #require(RankTest(found.without, found.with, rounds: 500, seed: 1))
    #expect(abs(test.auc - 0.5) < 0.1)
  }

  @Test func windowsAreWhole() {
    let stretch = VeilStretch(kind: .live, begin: 5, end: 36, isEdge: false)
    func windows(_ length: Int64, _ openings: [Int64]) -> [Range<Int64>] {
      VeilResult.windows(of: stretch, length, openings: openings, part: 1)
    }
    #expect(windows(10, []) == [5..<15, 15..<25, 25..<35])
    #expect(windows(40, []).isEmpty)
    // With whole segments of four.
    #expect(windows(10, [0, 4, 8, 12, 16, 20]) == [8..<16, 16..<24, 24..<32])
    #expect(windows(3, [0, 4, 8, 12, 16, 20]).first == 8..<12)
  }

  @Test func placesInASlotAreOnACircle() throws {
    let mean = try #require(circularMean([990, 10], 1000))
    #expect(min(mean, 1000 - mean) < 1e-6)
    #expect(try #require(circularSpread([990, 10], 1000)) < 12)
    #expect(try #require(circularSpread([0, 250, 500, 750], 1000)) > 500)
    #expect(floorModulo(-1, 10) == 9)
  }

  @Test func partsGetTheirDates() throws {
    let text = """
      #EXTM3U
      #EXT-X-VERSION:9
      #EXT-X-TARGETDURATION:4
      #EXT-X-PART-INF:PART-TARGET=1
      #EXT-X-MEDIA-SEQUENCE:7
      #EXT-X-MAP:URI="init.mp4"
      #EXT-X-PROGRAM-DATE-TIME:2026-11-29T12:00:00.000Z
      #EXT-X-PART:DURATION=1,URI="7.0.mp4",INDEPENDENT=YES
      #EXT-X-PART:DURATION=1,URI="7.1.mp4"
      #EXTINF:2,
      7.mp4
      #EXT-X-PROGRAM-DATE-TIME:2026-11-29T12:00:02.000Z
      #EXT-X-PART:DURATION=1,URI="8.0.mp4",INDEPENDENT=YES
      #EXT-X-PRELOAD-HINT:TYPE=PART,URI="8.1.mp4"

      """
    let parts = VeilObserver.parts(try MediaPlaylist.parse(ByteBuffer(string: text)))
    #expect(parts.map(\.uri) == ["7.0.mp4", "7.1.mp4", "8.0.mp4"])
    #expect(zip(parts.dropFirst(), parts).map { $0.begins - $1.begins } == [1_000_000, 1_000_000])
    #expect(VeilObserver.segment(of: "8.1.mp4") == "8.mp4")
  }
}
