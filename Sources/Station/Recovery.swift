import Foundation
import Logging
import Media
import NIOCore
import Packager
import Playlist

/// What a camera's folder holds of an earlier life of the process, and where this life goes on.
package struct Recovery: Sendable {
  /// The number in the first name that this life uses: higher than all that were used before.
  var firstName: Int
  /// The media sequence number of the first segment in the window.
  var firstSequence: Int
  /// How many discontinuities have left the window.
  var discontinuitySequence: Int
  /// The segments that are listed again.
  var segments: [ListedSegment] = []
  /// The files that go with them: segments, init segments, and the parts of the segments.
  var media: [String: ByteBuffer] = [:]
  /// What the operator has ordered until further notice.
  var standing = Director.Standing()
  /// When the last of the segments ends; dates go on from there.
  var end: WallTime?
  /// The picture that was shown last, where it was the camera's.
  var picture: ByteBuffer?

  /// How many names are reserved at once: hours of segments.
  static let reserve = 1000
  /// What players that count in doubles can still tell apart; a state that says more is damaged.
  private static let highest = 1 << 53

  /// The beginning of a stream that nothing is known of.
  ///
  /// Numbers begin no lower than the hundredths of seconds since 2025. No life of a process uses as many, not even a
  /// short one that fills its window at once, so numbers rise and names stay apart also where the state was lost, could
  /// not be written, or belongs to another store. Discontinuities are counted by tens of seconds where a stream was
  /// there before: they come slower than that.
  package static func fresh(now: WallTime, isFirst: Bool = true) -> Recovery {
    let since = max(0, now.milliseconds - 1_735_689_600_000)
    let first = Int(since / 10)
    return Recovery(firstName: first, firstSequence: first, discontinuitySequence: isFirst ? 0 : Int(since / 10_000))
  }

  /// Reads the folder.
  static func read(folder: String, timeline: TimelineSettings, now: WallTime, logger: Logger) -> Recovery {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    // Media without a state, or with a damaged one, still tells how far its numbers went.
    let highestName = names.compactMap { Int($0.prefix { $0 != "." }) }.filter { $0 < highest }.max()
    var recovery = fresh(now: now, isFirst: highestName == nil)
    if let highestName, highestName >= recovery.firstName { recovery.firstName = highestName + reserve }
    guard let state = state(StreamState.fileName, in: folder) else {
      recovery.firstSequence = recovery.firstName
      recovery.passDiscontinuities(of: folder)
      recovery.takeUp(setAside: state(StreamState.asideName, in: folder))
      if highestName != nil || FileManager.default.fileExists(atPath: folder + "/" + StreamState.fileName) {
        logger.warning(
          """
          state.json is missing, damaged or older than the stream; segments are numbered by the clock and viewers begin \
          anew
          """, metadata: ["folder": "\(folder)", "first": "\(recovery.firstName)"])
      }
      return recovery
    }
    recovery.firstName = max(recovery.firstName, state.reservedName)
    recovery.firstSequence = max(recovery.firstName, state.mediaSequence + state.segments.count + 1)
    // Whatever the state has missed counts as one more: a break that was announced, and the one that comes now.
    recovery.discontinuitySequence =
      state.discontinuitySequence + state.segments.count { $0.isDiscontinuous } + 2
    recovery.standing = state.standing
    guard state.part == timeline.part.count, state.segment == timeline.segment.count else {
      logger.warning(
        "the length of parts or segments has changed; viewers begin anew, because no stream may change it",
        metadata: ["folder": "\(folder)"])
      return recovery
    }
    recovery.restore(state, from: folder, timeline: timeline)
    return recovery
  }

  private static func state(_ name: String, in folder: String) -> StreamState? {
    guard let text = file(name, in: folder),
      let state = try? JSONDecoder().decode(StreamState.self, from: Data(text.readableBytesView)),
      (0...highest).contains(state.reservedName), (0...highest).contains(state.mediaSequence),
      (0...highest).contains(state.discontinuitySequence)
    else { return nil }
    return state
  }

  /// Takes the orders of a state that is older than the stream was, and begins far above its numbers.
  private mutating func takeUp(setAside state: StreamState?) {
    guard let state else { return }
    standing = state.standing
    firstName = max(firstName, state.reservedName + Self.reserve)
    firstSequence = max(firstSequence, firstName)
    discontinuitySequence = max(
      discontinuitySequence, state.discontinuitySequence + state.segments.count { $0.isDiscontinuous } + Self.reserve)
  }

  /// Takes the newest segments that are all there, without a gap among them.
  private mutating func restore(_ state: StreamState, from folder: String, timeline: TimelineSettings) {
    var kept: [ListedSegment] = []
    if let open = state.open, let closed = Self.close(open, in: folder) {
      var segment = closed.0
      let bytes = closed.1
      segment.cutName = SegmentName(number: firstName)
      firstName += 1
      kept = [segment]
      media[segment.file] = bytes
    }
    for segment in state.segments.reversed() {
      guard let bytes = Self.file(segment.file, in: folder), bytes.readableBytes == segment.byteCount,
        (1...timeline.partsPerSegment).contains(segment.partBytes.count), segment.partBytes.allSatisfy({ $0 > 0 }),
        media[segment.map] != nil || Self.file(segment.map, in: folder) != nil
      else { break }
      kept.insert(segment, at: 0)
      media[segment.file] = bytes
    }
    guard kept.count > (state.open == nil ? 0 : 1) || state.segments.isEmpty else {
      media = [:]
      return
    }
    for map in Set(kept.map(\.map)) { media[map] = Self.file(map, in: folder) }
    guard kept.allSatisfy({ media[$0.map] != nil }) else {
      media = [:]
      return
    }
    let lost = state.segments.count + (kept.last?.name == state.open?.name && state.open != nil ? 1 : 0) - kept.count
    segments = kept
    firstSequence = state.mediaSequence + lost
    discontinuitySequence =
      state.discontinuitySequence + state.segments.prefix(lost).count { $0.isDiscontinuous }
    for segment in kept {
      guard let bytes = media[segment.file] else { continue }
      for index in segment.partBytes.indices {
        let range = segment.range(ofPart: index)
        media[segment.name.part(index)] = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count)
      }
    }
    end = kept.last.map { $0.date.advanced(by: timeline.part * Int64($0.partBytes.count)) }
    if state.isLive { picture = Self.file("latest.jpg", in: folder) }
  }

  /// Where the media timeline of the segments ends; `nil` where nothing can go on with it, because it was a loop's own
  /// or needs another init segment.
  ///
  /// Going on without a discontinuity is more than tidy: players that saw a segment closed before the process died
  /// give up when a discontinuity is said to stand behind it later.
  func mediaEnd(initName: String, step: Ticks) -> Ticks? {
    guard let last = segments.last, last.map == initName, !last.name.isOfLoop, let bytes = media[last.file],
      let part = try? FragmentReader.parts(in: bytes).last
    else { return nil }
    return part.start + step * Int64(part.pictures.count)
  }

  /// A segment that the end of the process has cut short, of the parts that are there.
  private static func close(_ open: ListedSegment, in folder: String) -> (ListedSegment, ByteBuffer)? {
    var segment = open
    var bytes = ByteBuffer()
    segment.partBytes = []
    for index in open.partBytes.indices {
      guard let part = file(open.name.part(index), in: folder), part.readableBytes == open.partBytes[index] else {
        break
      }
      bytes.writeImmutableBuffer(part)
      segment.partBytes.append(part.readableBytes)
    }
    return segment.partBytes.isEmpty ? nil : (segment, bytes)
  }

  /// Begins above the discontinuities that the mirrored playlist counts, where the state cannot tell.
  private mutating func passDiscontinuities(of folder: String) {
    guard let text = Self.file(StreamPublisher.playlistName, in: folder), let playlist = try? MediaPlaylist.parse(text)
    else { return }
    let passed = playlist.discontinuitySequence + playlist.segments.count { $0.discontinuity } + 2
    discontinuitySequence = max(discontinuitySequence, passed)
    firstName = max(firstName, playlist.mediaSequence + playlist.segments.count + Self.reserve)
    firstSequence = max(firstSequence, firstName)
  }

  private static func file(_ name: String, in folder: String) -> ByteBuffer? {
    FileManager.default.contents(atPath: folder + "/" + name).map { ByteBuffer(bytes: $0) }
  }
}
