import Media
import NIOCore
import Picture
import Playlist
import TestSupport
import Testing

@testable import Packager

/// Runs a stream of made-up pictures and holds the HLS rules between each playlist and the next.
@Suite struct LiveWindowTests {
  private static let timelines = [
    try? TimelineSettings(), try? TimelineSettings(rate: 2, part: .milliseconds(500), segment: .seconds(2)),
    try? TimelineSettings(rate: 1, part: .seconds(2), segment: .seconds(20), listedSegments: 9),
    try? TimelineSettings(rate: 5, part: .milliseconds(200), segment: .seconds(1), listedSegments: 30),
  ].compactMap { $0 }

  private struct Stream {
    let timeline: TimelineSettings
    var segmenter: Segmenter
    var window: LiveWindow
    var dates: DateMap
    /// What a server would hold: names and the media time at which each appeared.
    var held: [String: Ticks] = [:]
    var retired: [(name: String, at: Ticks)] = []

    init(_ timeline: TimelineSettings, firstSequence: Int = 100) {
      self.timeline = timeline
      segmenter = Segmenter(settings: timeline, firstSequence: firstSequence)
      window = LiveWindow(settings: timeline, initName: "init-1.mp4", firstSequence: firstSequence)
      dates = DateMap(media: .zero, wall: WallTime(milliseconds: 1_800_000_000_000))
    }

    mutating func slot() -> Segmenter.Output {
      let pictures = (0..<timeline.stepsPerPart).map { step in
        CodedPicture(bytes: ByteBuffer(repeating: 7, count: 10 + step), isIDR: step == 0 && segmenter.isAtSegmentStart)
      }
      let output = segmenter.append(pictures)
      held[output.partName] = output.start
      if output.segment != nil { held[output.name.file] = output.start }
      for name in window.append(output, date: dates.date(of: output.start)) {
        retired.append((name, output.start + timeline.part))
        held[name] = nil
      }
      if output.segment != nil { window.expect(segmenter.name, isDiscontinuous: false) }
      return output
    }
  }

  @Test(arguments: timelines) func playlistsKeepTheRulesFromOneToTheNext(timeline: TimelineSettings) throws {
    var stream = Stream(timeline)
    for _ in 0..<timeline.listedSegments * timeline.partsPerSegment { _ = stream.slot() }
    var before = stream.window.playlist
    for _ in 0..<3 * timeline.listedSegments * timeline.partsPerSegment {
      _ = stream.slot()
      let now = stream.window.playlist
      // H1
      #expect(now.targetDuration == before.targetDuration)
      #expect(now.segments.allSatisfy { $0.duration == .seconds(Int64(now.targetDuration)) })
      // H3, H4: removed in front, appended at the end, nothing changed between.
      let removed = now.mediaSequence - before.mediaSequence
      #expect((0...1).contains(removed))
      let kept = before.segments.dropFirst(removed)
      #expect(zip(kept, now.segments).allSatisfy { $0.uri == $1.uri && $0.programDateTime == $1.programDateTime })
      #expect(now.segments.count - kept.count == (now.trailingParts.isEmpty ? 1 : 0))
      // H5
      #expect(now.segments.count == timeline.listedSegments)
      // H9, H10, H11
      #expect(now.segments.allSatisfy { $0.programDateTime != nil } && now.independentSegments)
      #expect(!now.endList && now.playlistType == nil && now.version == 6)
      // L1: parts of at most the last three target durations, of more than two, each exactly the part target.
      let parts = now.segments.flatMap(\.parts) + now.trailingParts
      #expect(parts.allSatisfy { $0.duration == timeline.part })
      #expect(parts.count * Int(timeline.part.count) > 2 * Int(timeline.segment.count))
      #expect(parts.count * Int(timeline.part.count) <= 3 * Int(timeline.segment.count))
      // L6
      #expect(now.preloadHint?.uri == stream.segmenter.name.part(stream.segmenter.position.part))
      // D6: all that is listed is held.
      #expect(now.segments.allSatisfy { stream.held[$0.uri] != nil } && parts.allSatisfy { stream.held[$0.uri] != nil })
      before = now
    }
  }

  /// Segments end early for another picture: H1, H3 to H6 hold with any of them, and the window keeps its length.
  @Test(arguments: timelines) func segmentsThatEndEarlyKeepTheRules(timeline: TimelineSettings) throws {
    var (stream, generator) = (Stream(timeline), SeededGenerator(seed: 5))
    for _ in 0..<timeline.listedSegments * timeline.partsPerSegment { _ = stream.slot() }
    var (before, short) = (stream.window.playlist, 0)
    for _ in 0..<6 * timeline.listedSegments * timeline.partsPerSegment {
      let open = before.trailingParts
      let isEarly = !open.isEmpty && Int.random(in: 0..<5, using: &generator) == 0
      if isEarly {
        let name = stream.segmenter.name
        let whole = stream.segmenter.endSegment()
        stream.window.endSegment()
        stream.window.expect(stream.segmenter.name, isDiscontinuous: false)
        stream.held[name.file] = stream.segmenter.start
        #expect(whole.readableBytes > 0)
        short += 1
      }
      let output = stream.slot()
      let now = stream.window.playlist
      #expect(now.targetDuration == before.targetDuration && now.mediaSequence >= before.mediaSequence)
      let kept = before.segments.dropFirst(now.mediaSequence - before.mediaSequence)
      #expect(zip(kept, now.segments).allSatisfy { $0.uri == $1.uri && $0.duration == $1.duration })
      #expect(now.segments.allSatisfy { $0.duration <= timeline.segment && $0.duration >= timeline.part })
      if isEarly {
        let ended = try #require(output.segment == nil ? now.segments.last : now.segments.dropLast().last)
        #expect(ended.parts == open && ended.duration == timeline.part * Int64(open.count))
        #expect(output.position.part == 0)
      }
      let listed = now.segments.reduce(Ticks.zero) { $0 + $1.duration }
      #expect(now.segments.count >= timeline.listedSegments)
      #expect(listed >= timeline.segment * Int64(timeline.listedSegments))
      let parts = now.segments.flatMap(\.parts) + now.trailingParts
      #expect(parts.count * Int(timeline.part.count) > 2 * Int(timeline.segment.count))
      #expect(parts.count * Int(timeline.part.count) <= 3 * Int(timeline.segment.count))
      #expect(now.preloadHint?.uri == stream.segmenter.name.part(stream.segmenter.position.part))
      #expect(now.segments.allSatisfy { stream.held[$0.uri] != nil } && parts.allSatisfy { stream.held[$0.uri] != nil })
      let again = try MediaPlaylist.parse(now.render())
      #expect(again.segments == now.segments)
      #expect(again.trailingParts == now.trailingParts)
      #expect(again.preloadHint == now.preloadHint)
      before = now
    }
    #expect(short > 10)
  }

  @Test(arguments: timelines) func whatLeftThePlaylistStaysFetchableAndThenGoes(timeline: TimelineSettings) throws {
    var stream = Stream(timeline)
    var lastListed: [String: Ticks] = [:]
    for _ in 0..<5 * timeline.listedSegments * timeline.partsPerSegment {
      let output = stream.slot()
      let playlist = stream.window.playlist
      let names =
        playlist.segments.map(\.uri) + playlist.segments.flatMap(\.parts).map(\.uri) + playlist.trailingParts.map(\.uri)
      for name in names { lastListed[name] = output.start + timeline.part }
    }
    #expect(!stream.retired.isEmpty)
    let longest = timeline.segment * Int64(timeline.listedSegments + 1)
    for (name, at) in stream.retired {
      let listed = try #require(lastListed[name])
      let isSegment = name.split(separator: ".").count == 2
      #expect(at - listed >= (isSegment ? timeline.segment + longest : timeline.segment * 3))
    }
    // Bounded: nothing is held for ever.
    let bound = 3 * timeline.listedSegments + 9
    #expect(stream.held.count < bound * (timeline.partsPerSegment + 1))
  }

  @Test func theMirroredPlaylistListsWholeSegmentsOnly() throws {
    var stream = Stream(try TimelineSettings(part: .seconds(1), segment: .seconds(12)))
    for _ in 0..<100 { _ = stream.slot() }
    let playlist = stream.window.plainPlaylist
    #expect(playlist.segments.count == 6)
    #expect(playlist.serverControl == nil && playlist.partTarget == nil && playlist.preloadHint == nil)
    #expect(playlist.trailingParts.isEmpty && playlist.segments.allSatisfy(\.parts.isEmpty))
    #expect(try MediaPlaylist.parse(playlist.render()) == playlist)
  }

  @Test func theFirstPlaylistCountsFromTheFirstSequence() throws {
    var stream = Stream(try TimelineSettings(), firstSequence: 59_552_948)
    let output = stream.slot()
    #expect(output.partName == "59552948.0.mp4")
    #expect(output.isIndependent && output.start == .zero)
    #expect(stream.window.playlist.mediaSequence == 59_552_948)
    #expect(stream.window.playlist.preloadHint?.uri == "59552948.1.mp4")
  }

  /// hls.js has the announced number on the timeline that ended, and gives up where it comes behind a discontinuity.
  @Test(arguments: [0, 1, 11]) func noNumberThatPlayersKnowComesAgainAfterAWithdrawal(openParts: Int) throws {
    var stream = Stream(try TimelineSettings(part: .seconds(1), segment: .seconds(12)))
    for _ in 0..<7 * 12 + openParts { _ = stream.slot() }
    let before = stream.window.playlist
    let hinted = before.mediaSequence + before.segments.count
    _ = stream.window.withdraw()
    stream.segmenter.dropSegment()
    stream.window.expect(stream.segmenter.name, isDiscontinuous: true)
    let output = stream.slot()
    #expect(output.position.sequence == hinted + 1)
    #expect(stream.window.playlist.mediaSequence == hinted + 1)
    #expect(stream.window.newest == output.position)
    #expect(stream.window.playlist.discontinuitySequence == before.discontinuitySequence)
  }

  /// The limit is what the folder knows: see `Mirror.sequenceLimit`.
  @Test func noSegmentLeavesThatAProcessWhichComesBackWouldListAgain() throws {
    var stream = Stream(try TimelineSettings(part: .seconds(1), segment: .seconds(4)))
    stream.window.sequenceLimit = 100
    for _ in 0..<10 * 4 { _ = stream.slot() }
    let before = stream.window.playlist
    #expect(before.mediaSequence == 100 && before.segments.count == 10)
    stream.window.sequenceLimit = 103
    for _ in 0..<4 { _ = stream.slot() }
    #expect(stream.window.playlist.mediaSequence == 103)
    // A disk that never answers must not fill the memory.
    for _ in 0..<20 * 4 { _ = stream.slot() }
    #expect(stream.window.playlist.segments.count == 12 && stream.window.playlist.mediaSequence > 103)
    // What left is served for the longest playlist that listed it.
    #expect(try #require(stream.window.removedSegments.last).time >= .seconds(4 * 13))
  }

  /// Any number that was published is reached again by a process that knows the version before it.
  @Test(arguments: timelines) func aProcessThatComesBackNeverCountsLower(timeline: TimelineSettings) throws {
    var stream = Stream(timeline)
    for _ in 0..<timeline.listedSegments * timeline.partsPerSegment { _ = stream.slot() }
    for _ in 0..<3 * timeline.listedSegments * timeline.partsPerSegment {
      let known = stream.window
      stream.window.sequenceLimit = known.restartSequence
      _ = stream.slot()
      #expect(stream.window.firstSequence <= known.restartSequence)
      var restored = known.segments
      if let open = known.openSegment { restored.append(open) }
      let again = LiveWindow(
        settings: timeline, initName: "init-1.mp4", firstSequence: known.firstSequence, discontinuitySequence: 0,
        restoring: restored, removed: known.removedSegments)
      #expect(again.firstSequence == known.restartSequence)
      #expect(again.segments.count >= timeline.listedSegments)
      let owed = Set(known.removedSegments.map(\.segment.file))
      #expect(owed.isSubset(of: Set(again.removedSegments.map(\.segment.file))))
    }
  }
}
