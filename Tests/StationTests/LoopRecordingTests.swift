import Foundation
import Logging
import Media
import NIOCore
import Packager
import Picture
import TestSupport
import Testing

@testable import Station

/// Recordings that a server answers, what is kept for them, and the loops that are made of them.
@Suite struct LoopRecordingTests: LoopMaking {
  /// What a server would answer that has shown the loop in this folder.
  private func recording(of folder: String, _ settings: CameraSettings, from first: Int = 0) throws -> ByteBuffer {
    let loop = try #require(try open(folder, settings))
    let recent = RecentMedia(length: .seconds(60), timeline: settings.timeline, memory: RecentMemory(limit: 1 << 30))
    let header = ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/loop/init.mp4")))
    for index in first..<loop.count {
      let segment = try loop.segment(index)
      var shown = RecentSegment(opening: segment.opening)
      shown.media = ByteBuffer(bytes: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/loop/\(index).mp4")))
      for part in 0..<settings.timeline.partsPerSegment {
        shown.add(segment.slot(part, settings.timeline), at: part * settings.timeline.stepsPerPart)
      }
      recent.append(shown, header: header)
    }
    return try #require(recent.file(span: .seconds(60), segment: settings.timeline.segment))
  }

  private func record(_ recording: ByteBuffer, in folder: String, _ settings: CameraSettings, limit: Ticks) throws
    -> (isAsItWas: Bool, product: LoopMaker.Product)
  {
    var maker = try LoopMaker.open(folder: folder, settings: settings, isProcessed: true, logger: logger)
    let isAsItWas = try maker.append(try LoopRecording(recording), mayReuse: true, limit: limit, progress: { _ in })
    return (isAsItWas, try maker.finish(source: LoopSource(kind: .recording), made: .now))
  }

  @Test func aRecordingWithTheSameSettingsIsTakenAsItIs() throws {
    let settings = try settings()
    try withFolder { folder in
      try make(in: folder + "/a", settings)
      let original = try #require(try open(folder + "/a", settings))
      let made = try record(
        try recording(of: folder + "/a", settings), in: folder + "/b", settings, limit: .seconds(60))
      #expect(made.isAsItWas)
      let copy = try #require(try open(folder + "/b", settings))
      #expect(copy.count == 2)
      for index in 0..<2 {
        let (old, new) = (try original.segment(index), try copy.segment(index))
        #expect(new.pictures == old.pictures && new.opening == old.opening)
        #expect(new.changes.map(\.step) == old.changes.map(\.step))
        #expect(new.changes.map(\.jpeg) == old.changes.map(\.jpeg))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/b/loop").count == 6)
    }
  }

  @Test func aRecordingBeginsWithThePictureThatStoodThen() throws {
    // The second still stands when the second segment begins.
    let settings = try settings()
    try withFolder { folder in
      var maker = try LoopMaker.open(folder: folder + "/a", settings: settings, logger: logger)
      try maker.append(try still(gray: 90))
      try maker.hold(until: .seconds(2))
      try maker.append(try still(gray: 140))
      try maker.hold(until: .seconds(6))
      try maker.append(try still(gray: 190))
      _ = try maker.finish(source: LoopSource(kind: .stills), made: .now)
      let original = try #require(try open(folder + "/a", settings)).segment(1)
      #expect(original.changes.map(\.step) == [4] && original.opening != original.changes[0].jpeg)
      for recording in [
        try recording(of: folder + "/a", settings, from: 1), try recording(of: folder + "/a", settings),
      ] {
        _ = try record(recording, in: folder + "/b", settings, limit: .seconds(4))
        let copy = try #require(try open(folder + "/b", settings))
        let segment = try copy.segment(0)
        #expect(copy.count == 1 && segment.pictures == original.pictures && segment.opening == original.opening)
        #expect(segment.changes.map(\.step) == [0, 4] && segment.changes[1].jpeg == original.changes[0].jpeg)
      }
    }
  }

  @Test func ofALongRecordingTheNewestIsTaken() throws {
    let settings = try settings()
    try withFolder { folder in
      try make(in: folder + "/a", settings)
      let made = try record(
        try recording(of: folder + "/a", settings), in: folder + "/b", settings, limit: .seconds(4))
      #expect(made.product.segments == 1)
      let (whole, newest) = (try open(folder + "/a", settings), try open(folder + "/b", settings))
      #expect(try newest?.segment(0).pictures == whole?.segment(1).pictures)
    }
  }

  @Test(arguments: [2, 1])
  func aRecordingWithOtherSettingsIsCodedAnew(rate: Int64) throws {
    let other = try settings { $0.picture.size = PictureSize(width: 128, height: 96) }
    let settings = try settings {
      $0.timeline = try TimelineSettings(rate: rate, part: .seconds(1), segment: .seconds(4))
    }
    try withFolder { folder in
      try make(in: folder + "/a", other)
      let made = try record(try recording(of: folder + "/a", other), in: folder + "/b", settings, limit: .seconds(60))
      #expect(!made.isAsItWas)
      #expect(made.product.length == .seconds(8) && made.product.pictures == grays.count)
      #expect(try open(folder + "/b", settings)?.count == 2)
    }
  }

  @Test(arguments: ["", "<html>not found</html>", "\u{0}\u{0}\u{0}\u{18}ftypiso6"])
  func whatIsNoRecordingIsRefused(text: String) {
    #expect { try LoopRecording(ByteBuffer(string: text)) } throws: { "\($0)".contains("is not a recording") }
  }

  @Test func aDamagedRecordingIsRefusedOrMadeIntoALoop() throws {
    let settings = try settings()
    let damage = Mutation(
      tokens: [[0xFF, 0xFF, 0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0, 0, 0, 1]], front: 3000)
    try withFolder { folder in
      try make(in: folder + "/a", settings)
      let whole = Array(try recording(of: folder + "/a", settings).readableBytesView)
      // The numbers of the lists of pictures, behind the type of their boxes.
      let lists = whole.indices.filter { whole[$0...].starts(with: [0x6a, 0x1c, 0x3e, 0x0f]) }
      var read = 0
      for number in DamagedSamples.numbers(300) {
        var random = SeededGenerator(seed: UInt64(number))
        var bytes = whole
        if number % 3 == 0 {
          bytes = damage.applied(to: whole, mixing: whole, most: 2, using: &random)
        } else if let list = lists.randomElement(using: &random) {
          let place = list + 16 + Int.random(in: 0..<40, using: &random)
          bytes[place] = UInt8.random(in: 0...255, using: &random)
        }
        guard let recording = try? LoopRecording(ByteBuffer(bytes: bytes)) else { continue }
        read += 1
        // Each is made of what it shows; some also of what it was encoded from.
        guard read % 10 == 0 else { continue }
        var maker = try LoopMaker.open(
          folder: folder + "/b\(number)", settings: settings, isProcessed: true, logger: logger)
        let limit = Ticks.seconds(60)
        let isAsItWas = try? maker.append(recording, mayReuse: number % 2 == 0, limit: limit, progress: { _ in })
        #expect(isAsItWas != true || maker.length <= limit, "sample \(number)")
      }
      #expect(lists.count == 2 && read > 20, "\(lists.count) lists, \(read) recordings")
    }
  }

  /// Bytes that a server sends in which a picture shows an age behind its segment.
  @Test func aPictureBehindTheEndOfItsSegmentIsRefused() throws {
    let settings = try settings()
    try withFolder { folder in
      try make(in: folder, settings)
      var bytes = Array(try recording(of: folder, settings).readableBytesView)
      let list = try #require(bytes.indices.last { bytes[$0...].starts(with: [0x6a, 0x1c, 0x3e, 0x0f]) })
      let count = bytes[list + 23]
      let last = list + 24 + 13 * (Int(count) - 1)
      bytes.replaceSubrange(list + 16..<list + 20, with: [0xFF, 0xFF, 0xFF, 0xFF])
      bytes.replaceSubrange(last..<last + 4, with: [0xFF, 0xFF, 0xFF, 0xFF])
      #expect { try LoopRecording(ByteBuffer(bytes: bytes)) } throws: { "\($0)".contains("behind the end") }
    }
  }

  @Test func aRecordingThatDoesNotSayWhatIsNewIsRefused() throws {
    let settings = try settings()
    try withFolder { folder in
      try make(in: folder, settings)
      var bytes = ByteBuffer()
      for name in ["init.mp4", "0.mp4"] {
        bytes.writeBytes(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/loop/\(name)")))
      }
      #expect { try LoopRecording(bytes) } throws: { "\($0)".contains("does not say which pictures are new") }
    }
  }

  @Test func noMoreIsKeptThanIsAllowedAndTheNewestStays() throws {
    let timeline = try settings().timeline
    func segment(_ number: UInt8) -> RecentSegment {
      var segment = RecentSegment(opening: ByteBuffer(repeating: 0, count: 1000))
      segment.media = ByteBuffer(repeating: number, count: 100)
      segment.changes = [ShownPicture(step: 0, jpeg: ByteBuffer(repeating: number, count: 900))]
      return segment
    }
    let recent = RecentMedia(length: .seconds(40), timeline: timeline, memory: RecentMemory(limit: 3500))
    for number in 0..<100 {
      recent.append(segment(UInt8(number)), header: ByteBuffer())
      #expect(recent.bytes == 1000 * min(number + 1, 3), "the JPEGs count too")
    }
    let file = try #require(recent.file(span: .seconds(60), segment: timeline.segment))
    #expect(file.readableBytesView.contains(97) && !file.readableBytesView.contains(96))
    recent.clear()
    #expect(recent.bytes == 0 && recent.file(span: .seconds(60), segment: timeline.segment) == nil)
    let none = RecentMedia(length: .zero, timeline: timeline, memory: RecentMemory(limit: 3500))
    none.append(segment(1), header: ByteBuffer())
    #expect(none.bytes == 0 && none.file(span: .seconds(60), segment: timeline.segment) == nil)
  }
}
