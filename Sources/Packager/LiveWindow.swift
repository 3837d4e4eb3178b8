import Media
import NIOCore

/// The segments and parts that a camera's playlist lists, and how long the ones that left it stay fetchable.
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
  /// Whether the next segment begins with a discontinuity, which a version that closes its forerunner has to announce.
  private(set) var announcesDiscontinuity = false
  /// Whether anything was ever listed: before that there is nothing to break with.
  private var hasListed = false
  private var nextName = SegmentName(number: 0)
  /// How much has played in this life of the process when the next part begins: what was made in advance does not
  /// count, and the first part that does begins at zero.
  private var played: Ticks
  /// What left the playlist and is served on.
  private var removed = RemovedMedia()
  /// No media sequence is published above this one: a process that comes back could count lower otherwise. `nil` where
  /// none comes back.
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

  /// A window with the segments of an earlier life of the process, which end at stream time zero.
  ///
  /// - Parameters:
  ///   - removed: what had left the playlist and is served on.
  ///   - isContinued: whether what comes next goes on with their timeline; it is discontinuous otherwise.
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

  /// Where the newest part stands; `nil` in an empty window.
  package var newest: PartPosition? {
    if let open { return PartPosition(sequence: nextSequence, part: open.segment.partBytes.count - 1) }
    return complete.last.map { PartPosition(sequence: nextSequence - 1, part: $0.segment.partBytes.count - 1) }
  }

  /// Where the part stands that EXT-X-PRELOAD-HINT announces.
  package var hinted: PartPosition {
    PartPosition(sequence: nextSequence, part: open?.segment.partBytes.count ?? 0)
  }

  /// The file name of that part.
  package var hintedName: String { (open?.segment.name ?? nextName).part(hinted.part) }

  /// The complete segments, oldest first.
  package var segments: [ListedSegment] { complete.map(\.segment) }

  /// The media sequence with which a process that ended now would come back: what was published last may be one segment
  /// further than what is known of it then, and no number may come back. Whole playlists are left all the same.
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

  /// What has left the playlist and is served on.
  package var removedSegments: [RemovedSegment] { removed.segments(played: max(.zero, played)) }

  /// The whole segments that have to be served on if the playlist ends now, oldest first: what has left it, and what it
  /// lists.
  package var owedSegments: [RemovedSegment] {
    removedSegments + complete.map { RemovedSegment($0.segment, time: removedTime(of: $0), partTime: .zero) }
  }

  /// Serves on what an earlier life of the process, or a playlist that has ended, was still to serve.
  package mutating func serve(_ segments: [RemovedSegment]) {
    for segment in segments { removed.add(segment, from: played + settings.part) }
  }

  /// The segment that is not complete yet.
  package var openSegment: ListedSegment? { open?.segment }

  /// Says what comes next, before or together with the version that closes its forerunner: players only take a
  /// discontinuity that the closing version announces or that comes in one version with it.
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
  ///   - date: when its segment begins; counts for the first part of a segment only.
  ///   - marksRecorded: whether a mark says that the segment shows a recording; likewise.
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

  /// Empties the window, and all that is still served of what left it.
  ///
  /// The number of the segment that is open or announced goes too: players have it on the timeline that ends here, and
  /// hls.js gives up where a number that it knows comes behind another count of discontinuities.
  ///
  /// - Returns: the names of all media that must vanish.
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

  /// A part may go from the list once it is more than three target durations from the end, and is served for three
  /// more.
  private mutating func dropOldParts(end: Ticks) {
    for index in complete.indices where complete[index].listsParts {
      let segment = complete[index].segment
      let segmentEnd = complete[index].start + settings.part * Int64(segment.partBytes.count)
      guard segmentEnd < end - settings.segment * 3 + settings.part else { break }
      removed.addParts(of: segment, until: played + settings.removedPartTime)
      complete[index].listsParts = false
    }
  }

  /// Keeps the window as long as it should be, but for the limit: then it holds up to twice as much.
  private mutating func dropOldSegments() {
    // A segment that was cut short by the end of a process counts for nothing: the window stays as long without it.
    let parts = settings.partsPerSegment * settings.listedSegments
    while holds(moreThan: parts - 1), firstSequence < sequenceLimit ?? .max || holds(moreThan: 2 * parts - 1) {
      dropFirstSegment()
    }
  }

  /// Notes how long the playlist is that lists the complete segments.
  private mutating func noteLength() {
    let listed = settings.part * Int64(complete.reduce(0) { $0 + $1.segment.partBytes.count })
    for index in complete.indices { complete[index].longestPlaylist = max(complete[index].longestPlaylist, listed) }
  }

  /// How long a segment is served once it has left the playlist.
  private func removedTime(of entry: Entry) -> Ticks {
    max(settings.removedSegmentTime, entry.longestPlaylist + settings.segment * 2)
  }

  /// Whether a segment can go and so many parts are still exceeded.
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
