import Foundation
import Logging
import Media
import NIOCore
import Packager
import Playlist

/// What a camera's folder holds from an earlier process, and where this process continues.
package struct Recovery: Sendable {
  /// The number in the first name that this process uses: higher than all that were used before.
  var firstName: Int
  /// The media sequence number of the first segment in the window.
  var firstSequence: Int
  /// How many discontinuities have left the window.
  var discontinuitySequence: Int
  /// The segments that are listed again.
  var segments: [ListedSegment] = []
  /// The segments that are served again and not listed.
  var removed: [RemovedSegment] = []
  /// The files of both, and the parts of the segments.
  var media: [String: ByteBuffer] = [:]
  /// Those of them that stay in the folder while they are served.
  var files: Set<String> = []
  /// The operator's commands that are in force.
  var standing = Director.Standing()
  /// When the last of the segments ends; dates continue from there.
  var end: WallTime?
  /// Whether the clock stands before that end, so that nobody can say how long nothing was shown.
  private(set) var isClockBehind = false
  /// The picture that was shown last, if it was the camera's.
  var picture: ByteBuffer?

  /// How many names are reserved at once: hours of segments. While the disk hangs, a stream goes as far at most; each of
  /// its segments may have begun with a discontinuity.
  static let reserve = 1000

  /// The start of a stream of which nothing is known.
  ///
  /// Numbers begin no lower than the hundredths of seconds since 2025. No process uses as many, not even a short one
  /// that fills its window at once. So numbers rise and names stay different even if the state was lost, could not be
  /// written, or belongs to another store. Discontinuities are counted by tens of seconds if there was a stream before:
  /// they come slower than that.
  ///
  /// - Parameter isTrusted: whether the clock can be believed. Where it cannot, two lives may begin at the same moment of
  ///   it, and what one of them named is in caches for a year: names then stand apart by chance, above all that a clock
  ///   makes.
  package static func fresh(now: WallTime, isFirst: Bool = true, isTrusted: Bool = true) -> Recovery {
    let since = max(0, now.milliseconds - 1_735_689_600_000)
    let first = Int(since / 10)
    return Recovery(
      firstName: first + chance(isTrusted), firstSequence: first,
      discontinuitySequence: isFirst ? 0 : Int(since / 10_000))
  }

  private static func chance(_ isTrusted: Bool) -> Int { isTrusted ? 0 : Int.random(in: 1 << 38..<1 << 40) }

  /// Reads the folder.
  ///
  /// - Parameter isTrusted: whether the clock can be believed.
  static func read(
    folder: String, timeline: TimelineSettings, now: WallTime, isTrusted: Bool = true, logger: Logger
  ) -> Recovery {
    read(.folder(folder), timeline: timeline, now: now, isTrusted: isTrusted, folder: folder, logger: logger)
  }

  /// Reads these files.
  ///
  /// - Parameters:
  ///   - isTrusted: whether the clock can be believed.
  ///   - folder: where the log says that they are.
  static func read(
    _ files: StoredFiles, timeline: TimelineSettings, now: WallTime, isTrusted: Bool, folder: String, logger: Logger
  ) -> Recovery {
    let names = files.names
    var stored = StoredMedia(files, limits: StoredMedia.Limits(timeline))
    // Media without a state, or with a damaged one, still shows how far its numbers went.
    let highestName = names.compactMap { SegmentName.number(inFile: $0) }.filter { $0 < StreamState.highest }.max()
    let reservedName = StreamState.readReservedName(stored.file(StreamState.reservedFileName))
    var recovery = fresh(now: now, isFirst: highestName == nil && reservedName == nil)
    if let reservedName { recovery.firstName = max(recovery.firstName, reservedName) }
    if let highestName, highestName >= recovery.firstName { recovery.firstName = highestName + reserve }
    if let state = StreamState.read(stored.file(StreamState.fileName)) {
      if !recovery.goOn(from: state, &stored, timeline: timeline, now: now, isTrusted: isTrusted) {
        logger.warning(
          "the length of parts or segments has changed; viewers start again, because no stream can change it",
          metadata: ["folder": "\(folder)"])
      }
    } else {
      // Processes that did not manage to write anything have used names all the same.
      let last = [highestName, reservedName].compactMap { $0 }.max()
      if let last { recovery.firstName = max(recovery.firstName, last + 10 * reserve) }
      recovery.firstSequence = recovery.firstName
      recovery.passDiscontinuities(of: stored)
      let aside = StreamState.read(stored.file(StreamState.asideName))
      recovery.takeUp(setAside: aside)
      stored.serveAll(
        time: max(
          timeline.longestPlaylist + timeline.segment * 3, timeline.plain.removedSegmentTime,
          aside?.removedSegmentTime ?? .zero),
        partTime: max(timeline.removedPartTime, aside?.removedPartTime ?? .zero))
      if highestName != nil || names.contains(StreamState.fileName) {
        logger.warning(
          """
          state.json is missing, damaged or older than the stream; segments are numbered by the clock and viewers begin \
          anew
          """, metadata: ["folder": "\(folder)", "first": "\(recovery.firstName)"])
      }
      // Nothing says which names were used here.
      recovery.firstName += chance(isTrusted)
    }
    if recovery.isClockBehind {
      logger.warning(
        """
        the clock stands before the end of what was shown last; viewers begin anew, with nothing of that. Let the machine \
        set its clock before the server starts.
        """, metadata: ["folder": "\(folder)", "clock": "\(now)"])
    }
    (recovery.media, recovery.files, recovery.removed) = (stored.media, stored.files, stored.removed.reversed())
    return recovery
  }

  /// Continues where a state ends, or above it if nobody can be watching what it lists.
  ///
  /// - Returns: whether its parts and segments have the current length.
  private mutating func goOn(
    from state: StreamState, _ stored: inout StoredMedia, timeline: TimelineSettings, now: WallTime, isTrusted: Bool
  ) -> Bool {
    firstName = max(firstName, state.reservedName)
    standing = state.standing
    let isSameLength = state.part == timeline.part.count && state.segment == timeline.segment.count
    if isSameLength, let last = state.open ?? state.segments.last {
      let shown = last.date.advanced(by: timeline.part * Int64(last.partBytes.count))
      let silence = Ticks.milliseconds(now.milliseconds - shown.milliseconds)
      let window = timeline.segment * Int64(timeline.listedSegments)
      // Media is published a little ahead of its time, a window at most.
      isClockBehind = silence < .zero - window
      // Dates that were given out must not come again, unless they were wrong.
      end = isClockBehind && isTrusted ? nil : shown
      // A disk that hung for as long as a whole window may have missed numbers; only the time can tell.
      if silence < window, !isClockBehind { restore(state, from: &stored, timeline: timeline) }
      if state.isLive { picture = stored.file(StreamPublisher.latestName) }
    }
    if segments.isEmpty { beginAbove(state, &stored, timeline: timeline) }
    return isSameLength
  }

  /// How long nothing was shown until now.
  ///
  /// - Parameter lead: what holds where nothing was shown before.
  func gap(now: WallTime, lead: Ticks) -> Ticks {
    if isClockBehind { return .seconds(365 * 86_400) }
    return end.map { Ticks.milliseconds(max(0, now.milliseconds - $0.milliseconds)) } ?? lead
  }

  /// Lists nothing of a state, counts on above everything that it may have missed, and serves what was listed.
  private mutating func beginAbove(_ state: StreamState, _ stored: inout StoredMedia, timeline: TimelineSettings) {
    firstSequence = max(firstName, state.mediaSequence + state.segments.count + Self.reserve)
    discontinuitySequence = max(
      discontinuitySequence, state.discontinuitySequence + state.segments.count { $0.isDiscontinuous } + Self.reserve)
    let (segmentTime, partTime) = (state.removedSegmentTime, state.removedPartTime)
    for segment in state.segments.reversed() {
      stored.serve(RemovedSegment(segment, time: segmentTime, partTime: partTime))
    }
    stored.serve(removed: state)
    if let open = state.open { stored.serveParts(of: open.name, time: partTime) }
  }

  /// Takes the commands of a state that is older than the stream was, and begins far above its numbers.
  private mutating func takeUp(setAside state: StreamState?) {
    guard let state else { return }
    standing = state.standing
    firstName = max(firstName, state.reservedName + Self.reserve)
    firstSequence = max(firstSequence, firstName)
    discontinuitySequence = max(
      discontinuitySequence, state.discontinuitySequence + state.segments.count { $0.isDiscontinuous } + Self.reserve)
  }

  /// Takes the newest segments that are complete, without a gap, from the media sequence on that may have been reached.
  private mutating func restore(_ state: StreamState, from stored: inout StoredMedia, timeline: TimelineSettings) {
    let passed = max(0, min((state.reservedSequence ?? 0) - state.mediaSequence, state.segments.count))
    var first = state.segments.count
    while first > passed, stored.list(state.segments[first - 1], mostParts: timeline.partsPerSegment) { first -= 1 }
    guard first < state.segments.count else { return }
    segments = Array(state.segments[first...])
    if let open = state.open, let closed = stored.close(open, as: SegmentName(number: firstName)) {
      segments.append(closed)
      firstName += 1
    }
    firstSequence = state.mediaSequence + first
    discontinuitySequence = state.discontinuitySequence + state.segments[..<first].count { $0.isDiscontinuous }
    let (segmentTime, partTime) = (state.removedSegmentTime, state.removedPartTime)
    for segment in state.segments[..<first].reversed() {
      stored.serve(RemovedSegment(segment, time: segmentTime, partTime: partTime))
    }
    stored.serve(removed: state)
    end = segments.last.map { $0.date.advanced(by: timeline.part * Int64($0.partBytes.count)) }
  }

  /// Where the media timeline of the segments ends; `nil` if nothing can continue it, because it was a loop's own or
  /// needs another init segment.
  ///
  /// Continuing without a discontinuity matters: players that saw a segment closed before the process ended give up if
  /// a discontinuity appears after it later.
  func mediaEnd(initName: String, step: Ticks) -> Ticks? {
    guard let last = segments.last, last.map == initName, !last.name.isOfLoop, let bytes = media[last.file],
      let part = try? FragmentReader.parts(in: bytes).last
    else { return nil }
    return part.start + step * Int64(part.pictures.count)
  }

  /// Begins above the discontinuities that the mirrored playlist counts, if the state does not say.
  private mutating func passDiscontinuities(of stored: StoredMedia) {
    guard let text = stored.file(StreamPublisher.playlistName), let playlist = try? MediaPlaylist.parse(text),
      [playlist.mediaSequence, playlist.discontinuitySequence].allSatisfy((0...StreamState.highest).contains)
    else { return }
    let passed = playlist.discontinuitySequence + playlist.segments.count { $0.discontinuity } + Self.reserve
    discontinuitySequence = max(discontinuitySequence, passed)
    firstName = max(firstName, playlist.mediaSequence + playlist.segments.count + Self.reserve)
    firstSequence = max(firstSequence, firstName)
  }

  /// Writes down which names this process uses before it uses any: if it ended before its first state is written, the
  /// next process would use them again.
  func claim(in folder: String, timeline: TimelineSettings) {
    let known = segments.isEmpty ? nil : StreamState.read(Mirror.file(StreamState.fileName, in: folder))
    var state =
      known
      ?? StreamState(
        reservedName: 0, part: timeline.part.count, segment: timeline.segment.count, mediaSequence: firstSequence,
        discontinuitySequence: discontinuitySequence, segments: [], removed: removed, reservedSequence: firstSequence,
        standing: standing, isLive: false)
    state.reservedName = firstName + Self.reserve
    // The mirror reports a disk that does not accept them.
    try? StoreFile.replace(
      StreamState.reservedFileName, in: folder, with: ByteBuffer(string: "\(state.reservedName)"))
    try? StoreFile.replace(StreamState.fileName, in: folder, with: state.bytes)
  }
}
