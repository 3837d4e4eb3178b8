import Foundation
import Logging
import Media
import NIOCore
import Packager
import Playlist
import TestSupport
import Testing

@testable import Station

/// What a camera's folder holds may have been cut short by a power cut, damaged by its disk, or changed by hand.
@Suite struct ForeignStoreTests: LoopMaking {
  private static let now = WallTime(milliseconds: 1_795_000_000_000)
  private static let initName = "init-1.mp4"

  /// Names that files of a folder can have.
  private static let names = [
    "9223372036854775807.mp4", "9223372036854775807.0.mp4", "p9223372036854775807.mp4", "9007199254740991.mp4",
    "-5.mp4", "007.mp4", "loop-1f-0.mp4", "loop-1f-0.0.mp4", "x.mp4", ".mp4", "..mp4", "1.2.3.mp4", "init-.mp4",
    "p6100000000.mp4", "6000000000.mp4",
  ]

  private struct Folder {
    let timeline: TimelineSettings
    let files: [String: ByteBuffer]

    /// What a stream of a few segments has left.
    init() throws {
      timeline = try TimelineSettings(part: .seconds(1), segment: .seconds(4))
      var files = [ForeignStoreTests.initName: ByteBuffer(string: "init")]
      var (listed, sizes, whole) = ([String](), [Int](), ByteBuffer())
      var segmenter = Segmenter(settings: timeline, firstSequence: 500, firstName: 5_999_999_000)
      func entry(_ name: Int) -> String {
        let date = ForeignStoreTests.now.milliseconds - 20_000 + 4000 * Int64(listed.count)
        return """
          {"name":"\(name)","map":"init-1.mp4","date":\(date),"isDiscontinuous":\(listed.count == 1),
          "isMarkedRecorded":false,"partBytes":[\(sizes.map { "\($0)" }.joined(separator: ","))]}
          """
      }
      for _ in 0..<18 {
        let number = segmenter.nameNumber
        let isStart = segmenter.isAtSegmentStart
        let output = segmenter.append(
          (0..<timeline.stepsPerPart).map { step in
            let isIDR = step == 0 && isStart
            return CodedPicture(bytes: ByteBuffer(bytes: [0, 0, 0, 5, isIDR ? 5 : 1, 7, 7, 7, 7]), isIDR: isIDR)
          })
        files[output.partName] = output.part
        sizes.append(output.part.readableBytes)
        whole.writeImmutableBuffer(output.part)
        guard output.segment != nil else { continue }
        files[output.name.file] = whole
        listed.append(entry(number))
        (sizes, whole) = ([], ByteBuffer())
      }
      let state = """
        {"reservedName":6000000000,"part":\(timeline.part.count),"segment":\(timeline.segment.count),
        "mediaSequence":500,"discontinuitySequence":3,"segments":[\(listed.dropFirst().joined(separator: ","))],
        "open":\(entry(segmenter.nameNumber)),"reservedSequence":500,"isLive":true,
        "removed":[{"segment":\(listed[0]),"time":900000,"partTime":90000}],
        "standing":{"isPaused":false,"isVeiled":true}}
        """
      files[StreamState.fileName] = ByteBuffer(string: state)
      files[StreamState.reservedFileName] = ByteBuffer(string: "6000000000")
      files["live.m3u8"] = ByteBuffer(
        string: """
          #EXTM3U
          #EXT-X-VERSION:6
          #EXT-X-TARGETDURATION:4
          #EXT-X-MEDIA-SEQUENCE:500
          #EXT-X-DISCONTINUITY-SEQUENCE:3
          #EXTINF:4,
          5999999000.mp4

          """)
      self.files = files
    }

    /// The same with damage in some of the files.
    func damaged(using random: inout SeededGenerator) -> [String: ByteBuffer] {
      var files = files
      let texts = [StreamState.fileName, StreamState.reservedFileName, "live.m3u8"]
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let known = files.keys.sorted()
        let other = Array((files[known.randomElement(using: &random) ?? ""] ?? ByteBuffer()).readableBytesView)
        switch Int.random(in: 0..<8, using: &random) {
        case 0: files[texts.randomElement(using: &random) ?? ""] = nil
        case 1: files[ForeignStoreTests.names.randomElement(using: &random) ?? ""] = ByteBuffer(bytes: other)
        case 2:
          if let state = files[StreamState.fileName] {
            files[StreamState.asideName] = state
            files[StreamState.fileName] = nil
          }
        case 3, 4:
          let name = known.randomElement(using: &random) ?? ""
          let bytes = Array((files[name] ?? ByteBuffer()).readableBytesView)
          let damage = Mutation(
            tokens: [[0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0]], front: 120)
          files[name] = ByteBuffer(bytes: damage.applied(to: bytes, mixing: other, most: 2, using: &random))
        default:
          let name = Int.random(in: 0..<4, using: &random) > 0 ? texts[0] : texts.randomElement(using: &random) ?? ""
          let text = Array((files[name] ?? ByteBuffer()).readableBytesView)
          files[name] = ByteBuffer(
            bytes: Int.random(in: 0..<4, using: &random) == 0
              ? Mutation.json.applied(to: text, mixing: other, most: 2, using: &random)
              : Mutation.changingNumbers(in: text, most: 2, using: &random))
        }
      }
      return files
    }
  }

  @Test func whateverAFolderHoldsAStreamGoesOnFromIt() throws {
    let folder = try Folder()
    let whole = recovery(folder, folder.files)
    #expect(whole.segments.count == 4 && whole.removed.count == 1 && whole.standing.isVeiled)
    var (listed, read) = (0, 0)
    for number in DamagedSamples.numbers(800) {
      var random = SeededGenerator(seed: UInt64(number))
      let files = folder.damaged(using: &random)
      let recovery = recovery(folder, files)
      if !recovery.segments.isEmpty { listed += 1 }
      if StreamState.read(files[StreamState.fileName]) != nil { read += 1 }
      hold(recovery, files, folder.timeline, "sample \(number)")
    }
    // Damage that stops every file at its first byte would test little.
    #expect(listed > 100 && read > 200, "\(listed), \(read)")
  }

  private func recovery(_ folder: Folder, _ files: [String: ByteBuffer]) -> Recovery {
    Recovery.read(
      .memory(files), timeline: folder.timeline, now: Self.now, isTrusted: true, folder: "", logger: .silent)
  }

  /// Uses a recovery as a camera does that starts.
  private func hold(
    _ recovery: Recovery, _ files: [String: ByteBuffer], _ timeline: TimelineSettings, _ sample: Comment
  ) {
    let highest = StreamState.highest + 100_000
    for number in [recovery.firstName, recovery.firstSequence, recovery.discontinuitySequence] {
      #expect((0...highest).contains(number), sample)
    }
    let numbers = files.keys.compactMap { SegmentName.number(inFile: $0) }.filter { $0 < StreamState.highest }
    #expect(numbers.allSatisfy { $0 < recovery.firstName }, sample)
    let mediaEnd = recovery.mediaEnd(initName: Self.initName, step: timeline.step)
    #expect(recovery.gap(now: Self.now, lead: .seconds(6)) >= .zero, sample)
    let window = LiveWindow(
      settings: timeline, initName: Self.initName, firstSequence: recovery.firstSequence,
      discontinuitySequence: recovery.discontinuitySequence, restoring: recovery.segments, removed: recovery.removed,
      isContinued: mediaEnd != nil)
    var segmenter = Segmenter(
      settings: timeline, firstSequence: window.nextSequence, firstName: recovery.firstName, mediaStart: mediaEnd)
    let output = segmenter.append(
      (0..<timeline.stepsPerPart).map { step in
        CodedPicture(bytes: ByteBuffer(bytes: [0, 0, 0, 2, step == 0 ? 5 : 1, 7]), isIDR: step == 0)
      })
    #expect(!files.keys.contains(output.partName) && window.restartSequence >= window.firstSequence, sample)
    let listed = window.segments.flatMap { [$0.file, $0.map] }
    #expect(listed.allSatisfy { recovery.media[$0] != nil }, sample)
    #expect(window.retainedSegments.allSatisfy { $0.time >= .zero && $0.partTime >= .zero }, sample)
    // An answer says what follows what it has.
    for name in recovery.media.keys { _ = SegmentName(file: name)?.following }
    let left = LeftPlain(recovery, timeline: timeline.plain)
    #expect(left.segments.allSatisfy { left.media[$0.uri] != nil }, sample)
    let end = recovery.end.map { $0.advanced(by: .seconds(6)) } ?? Self.now
    var dates = DateMap(media: .seconds(6), wall: max(Self.now, end))
    let first = dates.segmentBegins(at: .seconds(6), wall: Self.now)
    #expect(first >= end && first.iso8601.utf8.count == 24, sample)
  }

  @Test func aDamagedLoopIsRefusedOrCanBePlayed() throws {
    try withFolder { folder in
      let settings = try settings()
      try make(in: folder, settings)
      let sets = try parameterSets(settings)
      let path = URL(fileURLWithPath: folder + "/loop/loop.json")
      let content = Array(try Data(contentsOf: path))
      // A camera that sends a still each second and a half.
      var rhythm = StillRhythm()
      rhythm.note((0..<9).map { Ticks.seconds(80) + .milliseconds(1500) * $0 }, collectedFrom: .seconds(80))
      var (played, refused) = (0, 0)
      for number in DamagedSamples.numbers(300) {
        var random = SeededGenerator(seed: UInt64(number))
        let bytes =
          Int.random(in: 0..<4, using: &random) == 0
          ? Mutation.json.applied(to: content, mixing: content, most: 2, using: &random)
          : Mutation.changingNumbers(in: content, most: 2, using: &random)
        try Data(bytes).write(to: path)
        if let source = LoopSource.ofLoop(in: folder) { #expect(!source.command(camera: settings.name).isEmpty) }
        _ = LoopSource.ofOutdatedLoop(in: folder, settings: settings)
        guard let loop = try? StoredLoop(path: folder + "/loop", settings: settings, parameterSets: sets) else {
          refused += 1
          continue
        }
        played += 1
        for index in 0..<loop.count {
          let times = loop.times(index)
          _ = StillRhythm.phase(of: times.compactMap(\.slotOffset), slot: settings.timeline.part)
          let seam = LoopSeam(rhythm, collectedFrom: .seconds(100), timeline: settings.timeline)
          _ = seam.entered(times)
          _ = seam.continued(times, shift: .milliseconds(20))
          guard let segment = try? loop.segment(index) else { continue }
          #expect(segment.pictures.count == 8 && segment.changes.allSatisfy { $0.step < 8 }, "sample \(number)")
        }
      }
      #expect(played > 20 && refused > 100, "\(played), \(refused)")
    }
  }
}
