import NIOCore
import Packager
import Playlist
import Testing

@testable import Station

@Suite struct OpenSegmentTests {
  private let edge = LiveEdge()
  private let deadline = ContinuousClock.now + .seconds(60)

  /// Publishes a part of a segment of four, and the segment with its last.
  private func publish(_ sequence: Int, _ part: Int, isLast: Bool = false, adding: [(String, String)] = []) {
    edge.publish(
      snapshot(sequence, part, isLast: isLast), adding: adding.map { ($0.0, ByteBuffer(string: $0.1)) })
  }

  private func snapshot(_ sequence: Int, _ part: Int, isLast: Bool = false) -> PlaylistSnapshot {
    let hinted =
      isLast ? PartPosition(sequence: sequence + 1, part: 0) : PartPosition(sequence: sequence, part: part + 1)
    return PlaylistSnapshot(
      position: PartPosition(sequence: sequence, part: part), hinted: hinted,
      hintedName: SegmentName(number: hinted.sequence).part(hinted.part),
      media: MediaPlaylist(targetDuration: 4, mediaSequence: sequence), delta: nil,
      multivariant: EncodedText(ByteBuffer(string: "#EXTM3U\n"), etag: "m"))
  }

  private func text(_ reading: OpenSegment.Reading) -> String {
    switch reading {
    case .more(let bytes): String(buffer: bytes) + "…"
    case .last(let bytes): String(buffer: bytes)
    case .cut: "cut"
    }
  }

  private func waitForViewer() async { while edge.waiters == 0 { await Task.yield() } }

  @Test func onlyWhatIsMadeOrComesNextIsOpen() {
    #expect(edge.openSegment(named: "7.mp4") == nil)
    publish(7, 0, adding: [("7.0.mp4", "a")])
    #expect(edge.openSegment(named: "7.mp4") != nil)
    for name in ["6.mp4", "8.mp4", "7.0.mp4", "07.mp4", "p7.mp4", "loop-a-7.mp4", "init-7.mp4", "7", ".mp4"] {
      #expect(edge.openSegment(named: name) == nil, "\(name)")
    }
    publish(7, 1, isLast: true, adding: [("7.1.mp4", "b"), ("7.mp4", "ab")])
    #expect(edge.openSegment(named: "7.mp4") == nil)
    #expect(edge.openSegment(named: "8.mp4") != nil)
  }

  @Test func whatIsThereComesAtOnceAndEachPartWhenItIsPublished() async throws {
    publish(7, 0, adding: [("7.0.mp4", "aa")])
    publish(7, 1, adding: [("7.1.mp4", "b")])
    var segment = try #require(edge.openSegment(named: "7.mp4"))
    #expect(text(await segment.read(deadline: deadline)) == "aab…")
    for (part, bytes) in [(2, "c"), (3, "dd")] {
      let waiting = segment
      async let reading = {
        var segment = waiting
        let reading = await segment.read(deadline: deadline)
        return (segment, reading)
      }()
      await waitForViewer()
      let isLast = part == 3
      publish(
        7, part, isLast: isLast,
        adding: [("7.\(part).mp4", bytes)] + (isLast ? [("7.mp4", "aabcdd")] : []))
      let (after, found) = await reading
      segment = after
      #expect(text(found) == (isLast ? "dd" : "c…"))
    }
  }

  @Test func theNextSegmentIsWaitedForBeforeItsFirstPart() async throws {
    publish(7, 3, isLast: true, adding: [("7.mp4", "abcd")])
    let segment = try #require(edge.openSegment(named: "8.mp4"))
    async let reading = {
      var segment = segment
      return await segment.read(deadline: deadline)
    }()
    await waitForViewer()
    publish(8, 0, adding: [("8.0.mp4", "e")])
    #expect(text(await reading) == "e…")
  }

  @Test func aSegmentThatIsClosedBeforeItsTimeEndsThere() async throws {
    publish(7, 0, adding: [("7.0.mp4", "a")])
    var segment = try #require(edge.openSegment(named: "7.mp4"))
    #expect(text(await segment.read(deadline: deadline)) == "a…")
    // The part that comes next is another segment's.
    publish(8, 0, adding: [("8.0.mp4", "x"), ("7.mp4", "a")])
    #expect(text(await segment.read(deadline: deadline)) == "")
  }

  @Test func aSlowReaderGetsTheRestOfTheWholeWhenItsPartsAreGone() async throws {
    publish(7, 0, adding: [("7.0.mp4", "a")])
    var segment = try #require(edge.openSegment(named: "7.mp4"))
    #expect(text(await segment.read(deadline: deadline)) == "a…")
    publish(7, 3, isLast: true, adding: [("7.mp4", "abcd")])
    publish(9, 0, adding: [("9.0.mp4", "x")])
    #expect(text(await segment.read(deadline: deadline)) == "bcd")
  }

  @Test func whatIsWithdrawnIsCutAndBringsNoByteMore() async throws {
    publish(7, 0, adding: [("7.0.mp4", "a")])
    var segment = try #require(edge.openSegment(named: "7.mp4"))
    #expect(text(await segment.read(deadline: deadline)) == "a…")
    edge.publish(snapshot(9, 0), adding: [("9.0.mp4", ByteBuffer(string: "x"))], removing: ["7.0.mp4", "7.mp4"])
    #expect(text(await segment.read(deadline: deadline)) == "cut")
    #expect(text(await segment.read(deadline: deadline)) == "cut")
  }

  @Test(arguments: ["deadline", "viewer", "end"])
  func whatEndsBeforeItIsWholeIsCut(ending: String) async throws {
    publish(7, 0, adding: [("7.0.mp4", "a")])
    var segment = try #require(edge.openSegment(named: "7.mp4"))
    #expect(text(await segment.read(deadline: deadline)) == "a…")
    let waiting = segment
    async let reading = {
      var segment = waiting
      return await segment.read(deadline: deadline) { ending != "viewer" }
    }()
    await waitForViewer()
    if ending == "end" { edge.end() } else { edge.expire(at: ending == "deadline" ? deadline : .now) }
    #expect(text(await reading) == "cut")
    #expect(edge.waiters == 0)
  }

  @Test func recordedPartsThatAreAheadOfTheirTimeComeAtOnce() async throws {
    edge.publish(
      snapshot(7, 0), ahead: snapshot(7, 2),
      adding: ["a", "b", "c"].enumerated().map { ("7.\($0.offset).mp4", ByteBuffer(string: $0.element)) })
    var segment = try #require(edge.openSegment(named: "7.mp4"))
    #expect(text(await segment.read(deadline: deadline)) == "abc…")
    edge.publish(
      snapshot(7, 1), ahead: snapshot(7, 3, isLast: true),
      adding: [("7.3.mp4", ByteBuffer(string: "d")), ("7.mp4", ByteBuffer(string: "abcd"))])
    #expect(text(await segment.read(deadline: deadline)) == "d")
    // What is further than the playlist is announced too.
    #expect(edge.openSegment(named: "8.mp4") != nil)
  }
}
