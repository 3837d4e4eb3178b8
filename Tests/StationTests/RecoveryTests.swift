import Foundation
import Logging
import Media
import NIOCore
import Packager
import TestSupport
import Testing

@testable import Station

@Suite struct RecoveryTests {
  private let now = WallTime(milliseconds: 1_795_000_000_000)
  private let silent = Logger.silent

  private func timeline() throws -> TimelineSettings { try TimelineSettings(part: .seconds(1), segment: .seconds(4)) }

  private func put(_ name: String, _ bytes: ByteBuffer, in folder: String) throws {
    try StoreFile.replace(name, in: folder, with: bytes)
  }

  private func segment(_ number: Int, parts: Int = 4, isDiscontinuous: Bool = false) throws -> ListedSegment {
    let json = """
      {"name":"\(number)","map":"init-1.mp4","date":\(now.milliseconds - 10_000),
      "isDiscontinuous":\(isDiscontinuous),"isMarkedRecorded":false,"partBytes":[\((0..<parts).map { "\($0 + 5)" }
        .joined(separator: ","))]}
      """
    return try JSONDecoder().decode(ListedSegment.self, from: Data(json.utf8))
  }

  private func state(_ segments: [ListedSegment], open: ListedSegment? = nil) throws -> StreamState {
    let timeline = try timeline()
    return StreamState(
      reservedName: 6_000_000_000, part: timeline.part.count, segment: timeline.segment.count, mediaSequence: 500,
      discontinuitySequence: 3, segments: segments, open: open, standing: .init(), isLive: true)
  }

  private func write(_ state: StreamState, in folder: String) throws {
    try put("init-1.mp4", ByteBuffer(string: "init"), in: folder)
    for segment in state.segments {
      try put(segment.name.file, ByteBuffer(repeating: 7, count: segment.byteCount), in: folder)
    }
    if let open = state.open {
      for (index, bytes) in open.partBytes.enumerated() {
        try put(open.name.part(index), ByteBuffer(repeating: 9, count: bytes), in: folder)
      }
    }
    try put(StreamState.fileName, state.bytes, in: folder)
  }

  @Test func listedSegmentsAndTheirPartsComeBack() throws {
    try withFolder { folder in
      let segments = try (100..<107).map { try segment($0) }
      try write(state(segments), in: folder)
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(recovery.segments == segments && recovery.firstSequence == 500 && recovery.discontinuitySequence == 3)
      #expect(recovery.firstName == 6_000_000_000)
      #expect(recovery.media["100.mp4"]?.readableBytes == segments[0].byteCount)
      #expect(recovery.media["106.3.mp4"]?.readableBytes == 8)
      #expect(recovery.media["init-1.mp4"] != nil)
    }
  }

  @Test func theSegmentThatWasCutShortIsClosedWithThePartsThatAreThere() throws {
    try withFolder { folder in
      let open = try segment(107, parts: 3)
      try write(state((100..<107).map { try segment($0) }, open: open), in: folder)
      try FileManager.default.removeItem(atPath: folder + "/107.2.mp4")
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(recovery.segments.count == 8 && recovery.segments.last?.partBytes == [5, 6])
      // Under its own name it may have been published with all its parts, in the last moment before the end.
      #expect(recovery.segments.last?.file == "6000000000.mp4" && recovery.firstName == 6_000_000_001)
      #expect(recovery.media["6000000000.mp4"]?.readableBytes == 11 && recovery.media["107.mp4"] == nil)
      #expect(recovery.media["107.1.mp4"]?.readableBytes == 6)
      #expect(recovery.end == recovery.segments.last?.date.advanced(by: .seconds(2)))
    }
  }

  @Test func whatLiesBeforeADamagedSegmentIsGivenUpAndCounted() throws {
    try withFolder { folder in
      let segments = try (100..<107).map { try segment($0, isDiscontinuous: $0 == 101) }
      try write(state(segments), in: folder)
      try put("102.mp4", ByteBuffer(string: "short"), in: folder)
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(recovery.segments == Array(segments[3...]))
      #expect(recovery.firstSequence == 503 && recovery.discontinuitySequence == 4)
    }
  }

  @Test func aStreamWhoseSegmentsHaveAnotherLengthBeginsAnewAbove() throws {
    try withFolder { folder in
      try write(state((100..<107).map { try segment($0, isDiscontinuous: true) }), in: folder)
      let other = try TimelineSettings(part: .seconds(1), segment: .seconds(6))
      let recovery = Recovery.read(folder: folder, timeline: other, now: now, logger: silent)
      #expect(recovery.segments.isEmpty && recovery.firstSequence > 507 && recovery.discontinuitySequence >= 10)
    }
  }

  @Test func aClockThatSteppedBackBringsNoNameBack() throws {
    try withFolder { folder in
      try write(state((100..<107).map { try segment($0) }), in: folder)
      let long = WallTime(milliseconds: 1_740_000_000_000)
      #expect(
        Recovery.read(folder: folder, timeline: try timeline(), now: long, logger: silent).firstName == 6_000_000_000)
      // Without the state, the names in the folder tell.
      try FileManager.default.removeItem(atPath: folder + "/state.json")
      try put("6000000700.mp4", ByteBuffer(string: "x"), in: folder)
      let blind = Recovery.read(folder: folder, timeline: try timeline(), now: long, logger: silent)
      #expect(blind.firstName > 6_000_000_700 && blind.firstSequence >= blind.firstName)
    }
  }

  @Test func whereOnlyALoopLiesBesideADamagedStateTheReservedNameTells() throws {
    try withFolder { folder in
      for (name, text) in [("loop-1f-0.mp4", "x"), (StreamState.fileName, "{"), ("reserved.json", "6000001000")] {
        try put(name, ByteBuffer(string: text), in: folder)
      }
      let long = WallTime(milliseconds: 1_740_000_000_000)
      let blind = Recovery.read(folder: folder, timeline: try timeline(), now: long, logger: silent)
      #expect(blind.firstName >= 6_000_001_000 && blind.firstSequence >= blind.firstName)
      #expect(blind.discontinuitySequence > 0)
    }
  }

  @Test func theLongestTimeThatAStateMayGiveIsReadAgain() throws {
    let timeline = try TimelineSettings(part: .seconds(6), segment: .seconds(60), listedSegments: 100)
    let state = StreamState(
      reservedName: 6_000_000_000, part: timeline.part.count, segment: timeline.segment.count, mediaSequence: 500,
      discontinuitySequence: 3, segments: try (0..<200).map { try segment($0) }, standing: .init(), isLive: true)
    var next = state
    next.removed = [RemovedSegment(try segment(1), time: state.removedSegmentTime, partTime: state.removedPartTime)]
    #expect(StreamState.read(next.bytes)?.removed == next.removed)
  }

  @Test(arguments: [
    "", "{", "{\"reservedName\":-5}", "null", "{\"reservedName\":9223372036854775807}", "\u{0}\u{0}\u{0}",
  ])
  func aDamagedStateFallsBackToTheClockAndThePlaylist(text: String) throws {
    try withFolder { folder in
      try put(StreamState.fileName, ByteBuffer(string: text), in: folder)
      try put(
        "live.m3u8",
        ByteBuffer(
          string: """
            #EXTM3U
            #EXT-X-VERSION:6
            #EXT-X-TARGETDURATION:4
            #EXT-X-MEDIA-SEQUENCE:7
            #EXT-X-DISCONTINUITY-SEQUENCE:88888888
            #EXT-X-DISCONTINUITY
            #EXTINF:4,
            7.mp4

            """), in: folder)
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(recovery.firstName == 5_931_040_000 && recovery.firstSequence >= recovery.firstName)
      #expect(recovery.discontinuitySequence > 88_888_889)
    }
  }

  @Test func aStateThatCouldNotBeReplacedGivesItsOrdersAndNoNumbers() throws {
    try withFolder { folder in
      var state = try state((100..<107).map { try segment($0) })
      state.standing.isPaused = true
      try write(state, in: folder)
      try FileManager.default.moveItem(atPath: folder + "/state.json", toPath: folder + "/state-old.json")
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(recovery.standing.isPaused && recovery.segments.isEmpty)
      #expect(recovery.firstSequence > 6_000_000_000 && recovery.firstName > 6_000_000_000)
    }
  }

  @Test func standingOrdersOutliveTheProcess() throws {
    try withFolder { folder in
      var state = try state((100..<107).map { try segment($0) })
      state.standing.isPaused = true
      try write(state, in: folder)
      #expect(Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent).standing.isPaused)
    }
  }

  @Test func whatHadLeftThePlaylistIsServedOn() throws {
    try withFolder { folder in
      var state = try state((100..<107).map { try segment($0) })
      let parts = RemovedSegment(try segment(99), time: .seconds(30), partTime: .seconds(2))
      let whole = RemovedSegment(try segment(98), time: .seconds(20), partTime: .zero)
      let lost = RemovedSegment(try segment(97), time: .seconds(10), partTime: .zero)
      state.removed = [lost, whole, parts]
      try write(state, in: folder)
      for number in [98, 99] { try put("\(number).mp4", ByteBuffer(repeating: 7, count: 26), in: folder) }
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(recovery.removed == [whole, parts] && recovery.segments.count == 7)
      #expect(recovery.media["99.mp4"]?.readableBytes == 26 && recovery.media["99.3.mp4"]?.readableBytes == 8)
      #expect(recovery.media["98.mp4"] != nil && recovery.media["98.0.mp4"] == nil && recovery.media["97.mp4"] == nil)
      #expect(recovery.files.isSuperset(of: ["98.mp4", "99.mp4", "106.mp4"]) && !recovery.files.contains("99.3.mp4"))
    }
  }

  /// What a folder has of a playlist without parts that ran for long.
  private func putPlain(_ count: Int, in folder: String) throws {
    let plain = try timeline().plain
    var segmenter = Segmenter(settings: plain, firstSequence: 6_100_000_000, isPlain: true)
    for _ in 0..<count {
      // One NAL unit of five bytes each.
      let output = segmenter.append(
        (0..<plain.stepsPerPart).map { step in
          CodedPicture(bytes: ByteBuffer(bytes: [0, 0, 0, 5, step == 0 ? 5 : 1, 7, 7, 7, 7]), isIDR: step == 0)
        })
      try put(output.name.file, output.part, in: folder)
    }
  }

  @Test func manySegmentsWithoutPartsPushOutNoOthers() throws {
    try withFolder { folder in
      var state = try state((100..<107).map { try segment($0) })
      let whole = RemovedSegment(try segment(98), time: .seconds(20), partTime: .zero)
      let plain = try (0..<100).map { number in
        let name = try #require(SegmentName(file: "p\(6_100_000_000 + number).mp4"))
        return RemovedSegment(ListedSegment(found: name, partBytes: [9]), time: .seconds(15), partTime: .zero)
      }
      state.removed = [whole] + plain
      try write(state, in: folder)
      for segment in [whole] + plain {
        try put(segment.segment.file, ByteBuffer(repeating: 7, count: segment.segment.byteCount), in: folder)
      }
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      // A playlist of twelve segments of a second: the newest of six times as many.
      #expect(recovery.removed == [whole] + plain.suffix(72))
    }
  }

  @Test func whereTheStateIsLostSegmentsWithoutPartsAreServedOnAndTheirNumbersPassed() throws {
    try withFolder { folder in
      try write(state((100..<107).map { try segment($0) }), in: folder)
      try FileManager.default.removeItem(atPath: folder + "/state.json")
      try putPlain(100, in: folder)
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      let served = recovery.removed.map(\.segment.file)
      #expect(served.count == 72 && served.contains("p6100000099.mp4") && !served.contains("p6100000000.mp4"))
      #expect(recovery.media["p6100000099.0.mp4"] == nil && recovery.media["init-1.mp4"] != nil)
      #expect(recovery.firstName > 6_100_000_099)
    }
  }

  @Test func whatWasListedIsServedForAsLongAsPlaylistsMayHaveBecomeWhileTheDiskHung() throws {
    try withFolder { folder in
      try write(try state((100..<107).map { try segment($0) }), in: folder)
      let later = now.advanced(by: .seconds(60))
      let above = Recovery.read(folder: folder, timeline: try timeline(), now: later, logger: silent)
      #expect(above.removed.map(\.time) == Array(repeating: Ticks.seconds(68), count: 7))
    }
  }

  @Test func theMediaSequenceBeginsWhereItMayHaveBeen() throws {
    try withFolder { folder in
      var state = try state((100..<108).map { try segment($0, isDiscontinuous: $0 == 100) })
      state.reservedSequence = 502
      try write(state, in: folder)
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(recovery.firstSequence == 502 && recovery.discontinuitySequence == 4)
      #expect(recovery.segments.map(\.file).first == "102.mp4" && recovery.segments.count == 6)
      #expect(recovery.removed.map(\.segment.file) == ["100.mp4", "101.mp4"] && recovery.media["101.0.mp4"] != nil)
    }
  }

  @Test func afterALongSilenceNumbersBeginAboveAllThatAHungDiskMayHaveMissed() throws {
    try withFolder { folder in
      try write(state((100..<107).map { try segment($0) }), in: folder)
      let later = now.advanced(by: .seconds(60))
      let recovery = Recovery.read(folder: folder, timeline: try timeline(), now: later, logger: silent)
      #expect(recovery.segments.isEmpty && recovery.firstSequence >= 6_000_000_000)
      #expect(recovery.removed.count == 7 && recovery.media["100.mp4"] != nil)
    }
  }

  @Test func aLifeThatWroteNothingHasUsedItsNamesAllTheSame() throws {
    try withFolder { folder in
      try write(state((100..<107).map { try segment($0) }), in: folder)
      let first = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      first.claim(in: folder, timeline: try timeline())
      let second = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(second.firstName >= first.firstName + 1000)
      #expect(second.segments == first.segments && second.firstSequence == first.firstSequence)
      // Where nothing can be gone on with, the sequence itself is a name.
      try FileManager.default.removeItem(atPath: folder + "/state.json")
      let blind = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      blind.claim(in: folder, timeline: try timeline())
      let again = Recovery.read(folder: folder, timeline: try timeline(), now: now, logger: silent)
      #expect(again.firstSequence > blind.firstSequence && again.firstName > blind.firstName)
      #expect(again.discontinuitySequence > blind.discontinuitySequence)
    }
  }

  @Test(arguments: [
    #""partBytes":[9223372036854775807,9223372036854775807]"#, #""map":"../../init-1.mp4""#,
  ])
  func aStateThatNoProcessOfOursWroteIsDamaged(text: String) throws {
    let state = try state((100..<107).map { try segment($0) })
    let (key, value) = (String(text.prefix { $0 != ":" }), String(text.drop { $0 != ":" }))
    var written = String(buffer: state.bytes)
    let old = key == "\"map\"" ? ":\"init-1.mp4\"" : ":[5,6,7,8]"
    written.replace(key + old, with: key + value, maxReplacements: 1)
    #expect(written.contains(text) && StreamState.read(ByteBuffer(string: written)) == nil)
  }

  // MARK: Clocks

  @Test func twoLivesThatBeginAtOneMomentOfAWrongClockShareNoName() {
    let wrong = WallTime(milliseconds: 0)
    let starts = (0..<20).map { _ in Recovery.fresh(now: wrong, isTrusted: false).firstName }.sorted()
    #expect(zip(starts, starts.dropFirst()).allSatisfy { $1 - $0 > 10_000 })
    // Above all that a clock which is right makes, and below what players can tell apart.
    #expect(starts.allSatisfy { $0 > Recovery.fresh(now: now).firstName && $0 < StreamState.highest / 1000 })
    #expect(Recovery.fresh(now: now).firstName == Recovery.fresh(now: now).firstName)
  }

  @Test func namesStandApartWhereAWrongClockMeetsAnEmptyFolder() throws {
    try withFolder { folder in
      let timeline = try timeline()
      let starts = (0..<5).map { _ in
        Recovery.read(
          folder: folder, timeline: timeline, now: WallTime(milliseconds: 0), isTrusted: false, logger: silent
        ).firstName
      }
      #expect(Set(starts).count == 5)
    }
  }

  @Test(arguments: [true, false])
  func aClockBeforeTheEndOfTheStateIsALongSilence(isTrusted: Bool) throws {
    try withFolder { folder in
      try write(state((100..<107).map { try segment($0) }), in: folder)
      try put(StreamPublisher.latestName, ByteBuffer(string: "picture"), in: folder)
      let wrong = WallTime(milliseconds: isTrusted ? now.milliseconds - 3_600_000 : 5_000)
      let recovery = Recovery.read(
        folder: folder, timeline: try timeline(), now: wrong, isTrusted: isTrusted, logger: silent)
      #expect(recovery.segments.isEmpty && recovery.isClockBehind)
      #expect(recovery.firstSequence > 506 && recovery.firstName >= 6_000_000_000)
      // Nothing of before is held as if it had just come.
      #expect(recovery.gap(now: wrong, lead: .seconds(24)) > .seconds(86_400))
      // What was listed is served on.
      #expect(recovery.media["106.mp4"] != nil)
      // Dates that were given out come again only where the clock says that they were wrong.
      #expect((recovery.end == nil) == isTrusted)
    }
  }

  @Test func aClockThatWasSetBackALittleIsNoSilence() throws {
    try withFolder { folder in
      try write(state((100..<107).map { try segment($0) }), in: folder)
      let recovery = Recovery.read(
        folder: folder, timeline: try timeline(), now: WallTime(milliseconds: now.milliseconds - 12_000), logger: silent
      )
      #expect(recovery.segments.count == 7 && !recovery.isClockBehind)
      #expect(recovery.gap(now: now, lead: .seconds(24)) < .seconds(24))
    }
  }
}
