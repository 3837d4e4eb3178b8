import Media
import NIOCore

/// The segments and parts that a camera's playlist lists, and how long those that left it can still be requested.
package struct LiveWindow: Sendable {
  struct Entry: Sendable {
    var segment: ListedSegment
    /// When it begins in stream time.
    let start: Ticks
    var listsParts = true
    /// The duration of the longest playlist that has listed it.
    var longestPlaylist = Ticks.zero
  }

  let settings: TimelineSettings
  let initName: String
  /// The media sequence number of the first segment.
  package private(set) var firstSequence: Int
  /// How many discontinuities have left the window.
  package private(set) var discontinuitySequence: Int
  private(set) var complete: [Entry] = []
  private(set) var open: Entry?
  /// Whether the next segment begins with a discontinuity, which the version that closes the previous one must already
  /// have.
  private(set) var announcesDiscontinuity = false
  /// Whether anything was ever listed: before that, there is no discontinuity.
  private var hasListed = false
  private var nextName = SegmentName(number: 0)
  /// How much has played in this process when the next part begins. What was made in advance does not count, and the
  /// first part that does begins at zero.
  private var played: Ticks
  /// What left the playlist and is retained.
  private var removed = RemovedMedia()
  /// No media sequence is published above this one, because a restarted process could otherwise count lower. `nil` if
  /// there will be none.
  package var sequenceLimit: Int?

  /// An empty window.
  ///
  /// - Parameter firstSequence: the media sequence number of the first segment that will be listed.
  package init(
    settings: TimelineSettings, initName: String, firstSequence: Int = 0, discontinuitySequence: Int = 0
  ) {
    self.settings = settings
    self.initName = initName
    self.firstSequence = firstSequence
    self.discontinuitySequence = discontinuitySequence
    played = .zero - settings.part
  }

  /// A window with the segments of an earlier process, which end at stream time zero.
  ///
  /// - Parameters:
  ///   - removed: what had left the playlist and is retained.
  ///   - isContinued: whether the next segment continues their timeline; otherwise it is discontinuous.
  package init(
    settings: TimelineSettings, initName: String, firstSequence: Int, discontinuitySequence: Int,
    restoring segments: [ListedSegment], removed: [RemovedSegment] = [], isContinued: Bool = false
  ) {
    self.init(
      settings: settings, initName: initName, firstSequence: firstSequence,
      discontinuitySequence: discontinuitySequence)
    var start = Ticks.zero
    for segment in segments.reversed() {
      start = start - settings.part * Int64(segment.partBytes.count)
      complete.insert(Entry(segment: segment, start: start, longestPlaylist: settings.longestPlaylist), at: 0)
    }
    hasListed = !segments.isEmpty
    announcesDiscontinuity = hasListed && !isContinued
    serve(removed)
    noteLength()
    dropOldParts(end: .zero)
    while self.firstSequence < restartSequence { dropFirstSegment() }
  }

  /// The media sequence number of the segment that the next part belongs to.
  package var nextSequence: Int { firstSequence + complete.count }

  /// The position of the newest part; `nil` in an empty window.
  package var newest: PartPosition? {
    if let open { return PartPosition(sequence: nextSequence, part: open.segment.partBytes.count - 1) }
    return complete.last.map { PartPosition(sequence: nextSequence - 1, part: $0.segment.partBytes.count - 1) }
  }

  /// The position of the part that EXT-X-PRELOAD-HINT hints.
  package var hinted: PartPosition {
    PartPosition(sequence: nextSequence, part: open?.segment.partBytes.count ?? 0)
  }

  /// The file name of that part.
  package var hintedName: String { (open?.segment.name ?? nextName).part(hinted.part) }

  /// The complete segments, oldest first.
  package var segments: [ListedSegment] { complete.map(\.segment) }

  /// The media sequence with which a process that ended now would continue: what was published last may be one segment
  /// further than the state knows, and no number may be used twice. Complete playlists are kept.
  package var restartSequence: Int {
    let parts = (complete + (open.map { [$0] } ?? [])).map(\.segment.partBytes.count)
    let least = settings.partsPerSegment * (settings.listedSegments - 1)
    var (dropped, rest) = (0, parts.reduce(0, +))
    while parts.count - dropped > settings.listedSegments, rest - parts[dropped] > least {
      rest -= parts[dropped]
      dropped += 1
    }
    return firstSequence + dropped
  }

  /// What has left the playlist and is retained.
  package var removedSegments: [RemovedSegment] { removed.segments(played: max(.zero, played)) }

  /// The whole segments that must still be served if the playlist ends now, oldest first: what has left it, and what it
  /// lists.
  package var retainedSegments: [RemovedSegment] {
    removedSegments + complete.map { RemovedSegment($0.segment, time: removedTime(of: $0), partTime: .zero) }
  }

  /// Retains what an earlier process, or a playlist that has ended, still had to serve.
  package mutating func serve(_ segments: [RemovedSegment]) {
    for segment in segments { removed.add(segment, from: played + settings.part) }
  }

  /// The segment that is not complete yet.
  package var openSegment: ListedSegment? { open?.segment }

  /// Sets what comes next, before or together with the version that closes the previous segment: players only accept a
  /// discontinuity that the closing version already has, or that comes in one version with the close.
  ///
  /// - Precondition: no segment is open.
  package mutating func expect(_ name: SegmentName, isDiscontinuous: Bool) {
    precondition(open == nil, "a segment is open")
    nextName = name
    if isDiscontinuous, hasListed { announcesDiscontinuity = true }
  }

  /// Lists a part that was just made.
  ///
  /// - Parameters:
  ///   - date: when its segment begins; used only for the first part of a segment.
  ///   - marksRecorded: whether a date range says that the segment shows the loop; used in the same way.
  ///   - isLead: whether it is made in advance, so that no time passes with it.
  /// - Returns: the names that need not be served any more (rfc8216bis, section 6.2.2).
  package mutating func append(
    _ output: Segmenter.Output, date: WallTime, marksRecorded: Bool = false, isLead: Bool = false
  ) -> [String] {
    var entry =
      open
      ?? Entry(
        segment: ListedSegment(
          name: output.name, map: initName, date: date, isDiscontinuous: announcesDiscontinuity,
          isMarkedRecorded: marksRecorded), start: output.start)
    (announcesDiscontinuity, hasListed) = (false, true)
    entry.segment.partBytes.append(output.part.readableBytes)
    if output.segment == nil {
      open = entry
    } else {
      complete.append(entry)
      open = nil
    }
    noteLength()
    if !isLead { played = played + settings.part }
    dropOldParts(end: output.start + settings.part)
    dropOldSegments()
    return gone()
  }

  /// Ends the open segment with the parts that it has. The playlist that lists it as complete has to come in one version
  /// with the first part of the next segment, because the part that was hinted does not come.
  ///
  /// - Precondition: a segment is open.
  package mutating func endSegment() {
    guard let entry = open.take() else { preconditionFailure("no segment is open") }
    complete.append(entry)
    noteLength()
  }

  /// Empties the window, and everything that left it and is retained.
  ///
  /// The number of the open or hinted segment is dropped too: players have it on the timeline that ends here, and
  /// hls.js gives up if a number that it knows comes after another count of discontinuities.
  ///
  /// - Returns: the names of all media that must be removed.
  package mutating func withdraw() -> [String] {
    let entries = complete + (open.map { [$0] } ?? [])
    discontinuitySequence += entries.count { $0.segment.isDiscontinuous } + (announcesDiscontinuity ? 1 : 0)
    firstSequence = nextSequence + 1
    let names = entries.flatMap { entry in
      [entry.segment.file] + entry.segment.partBytes.indices.map(entry.segment.name.part)
    }
    defer { (complete, open, removed, announcesDiscontinuity) = ([], nil, RemovedMedia(), false) }
    return names + removed.names
  }

  /// Names whose time is over; a loop's may be listed again meanwhile.
  private mutating func gone() -> [String] {
    let names = removed.expire(played: played)
    guard !names.isEmpty else { return [] }
    var listed: Set<String> = []
    for entry in complete + (open.map { [$0] } ?? []) {
      listed.insert(entry.segment.file)
      if entry.listsParts { listed.formUnion(entry.segment.partBytes.indices.map(entry.segment.name.part)) }
    }
    return names.filter { !listed.contains($0) }
  }

  /// A part should leave the list once it begins more than three target durations before the end (rfc8216bis, section
  /// 6.2.2), and is served for three more. The parts of a segment leave together, because players count them: so more than
  /// two target durations always stay, as players that begin in the middle of a segment need.
  private mutating func dropOldParts(end: Ticks) {
    for index in complete.indices where complete[index].listsParts {
      let segment = complete[index].segment
      guard complete[index].start < end - settings.segment * 3 else { break }
      removed.addParts(of: segment, until: played + settings.removedPartTime)
      complete[index].listsParts = false
    }
  }

  /// Keeps the window at its length, except for the limit: then it holds up to twice as much.
  private mutating func dropOldSegments() {
    // The window has its length without short segments, which end early for another picture or with a process.
    let parts = settings.partsPerSegment * settings.listedSegments
    while holds(moreThan: parts - 1), firstSequence < sequenceLimit ?? .max || holds(moreThan: 2 * parts - 1) {
      dropFirstSegment()
    }
  }

  /// Notes the length of the playlist for the complete segments that it lists.
  private mutating func noteLength() {
    let listed = settings.part * Int64(complete.reduce(0) { $0 + $1.segment.partBytes.count })
    for index in complete.indices { complete[index].longestPlaylist = max(complete[index].longestPlaylist, listed) }
  }

  /// How long a segment is served after it left the playlist.
  private func removedTime(of entry: Entry) -> Ticks {
    max(settings.removedSegmentTime, entry.longestPlaylist + settings.segment * 2)
  }

  /// Whether the segments without the first still have more than this many parts.
  private func holds(moreThan parts: Int) -> Bool {
    complete.count > settings.listedSegments
      && complete.dropFirst().reduce(0) { $0 + $1.segment.partBytes.count } > parts
  }

  private mutating func dropFirstSegment() {
    let first = complete.removeFirst()
    removed.add(first.segment, until: played + removedTime(of: first))
    if first.listsParts { removed.addParts(of: first.segment, until: played + settings.removedPartTime) }
    firstSequence += 1
    if first.segment.isDiscontinuous { discontinuitySequence += 1 }
  }
}
