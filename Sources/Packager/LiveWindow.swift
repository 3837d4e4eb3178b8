import Media
import NIOCore
import Playlist

/// The segments and parts that a camera's playlist lists, and how long the ones that left it stay fetchable.
public struct LiveWindow: Sendable {
  private struct Entry: Sendable {
    var segment: ListedSegment
    /// When it begins in stream time.
    let start: Ticks
    var listsParts = true
    /// The duration of the longest playlist that listed it.
    var longest = Ticks.zero
  }

  private let settings: TimelineSettings
  private let initName: String
  /// The media sequence number of the first segment.
  public private(set) var firstSequence: Int
  /// How many discontinuities have left the window.
  public private(set) var discontinuitySequence: Int
  private var complete: [Entry] = []
  private var open: Entry?
  /// Whether the next segment begins with a discontinuity, which a version that closes its forerunner has to announce.
  private var announcesDiscontinuity = false
  /// Whether anything was ever listed: before that there is nothing to break with.
  private var hasListed = false
  private var nextName = SegmentName(number: 0)
  /// How much has played in this life of the process: what was made in advance does not count.
  private var played = Ticks.zero
  /// What left the playlist and is served on.
  private var removed = RemovedMedia()
  /// No media sequence is published above this one: a process that comes back could count lower otherwise. `nil` where
  /// none comes back.
  public var sequenceLimit: Int?

  /// An empty window.
  ///
  /// - Parameter firstSequence: the media sequence number of the first segment that will be listed.
  public init(
    settings: TimelineSettings, initName: String, firstSequence: Int = 0, discontinuitySequence: Int = 0
  ) {
    self.settings = settings
    self.initName = initName
    self.firstSequence = firstSequence
    self.discontinuitySequence = discontinuitySequence
  }

  /// A window with the segments of an earlier life of the process, which end at stream time zero.
  ///
  /// - Parameters:
  ///   - removed: what had left the playlist and is served on.
  ///   - isContinued: whether what comes next goes on with their timeline; it is discontinuous otherwise.
  public init(
    settings: TimelineSettings, initName: String, firstSequence: Int, discontinuitySequence: Int,
    restoring segments: [ListedSegment], removed: [RemovedSegment] = [], isContinued: Bool = false
  ) {
    self.init(
      settings: settings, initName: initName, firstSequence: firstSequence,
      discontinuitySequence: discontinuitySequence)
    var start = Ticks.zero
    // A disk that hung has not taken how long the window became then.
    let longest = settings.segment * Int64(2 * settings.listedSegments)
    for segment in segments.reversed() {
      start = start - settings.part * Int64(segment.partBytes.count)
      complete.insert(Entry(segment: segment, start: start, longest: longest), at: 0)
    }
    hasListed = !segments.isEmpty
    announcesDiscontinuity = hasListed && !isContinued
    self.removed = RemovedMedia(removed)
    dropOldParts(end: .zero)
    noteLength()
    while self.firstSequence < restartSequence { dropFirstSegment() }
  }

  /// The media sequence number of the segment that the next part belongs to.
  public var nextSequence: Int { firstSequence + complete.count }

  /// Where the newest part stands; `nil` in an empty window.
  public var newest: SlotPosition? {
    if let open { return SlotPosition(sequence: nextSequence, part: open.segment.partBytes.count - 1) }
    return complete.last.map { SlotPosition(sequence: nextSequence - 1, part: $0.segment.partBytes.count - 1) }
  }

  /// Where the part stands that EXT-X-PRELOAD-HINT announces.
  public var announced: SlotPosition {
    SlotPosition(sequence: nextSequence, part: open?.segment.partBytes.count ?? 0)
  }

  /// The file name of that part.
  public var announcedName: String { (open?.segment.name ?? nextName).part(announced.part) }

  /// The complete segments, oldest first.
  public var segments: [ListedSegment] { complete.map(\.segment) }

  /// The media sequence with which a process that ended now would come back: what was published last may be one segment
  /// further than what is known of it then, and no number may come back. Whole playlists are left all the same.
  public var restartSequence: Int {
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
  public var removedSegments: [RemovedSegment] { removed.segments(played: played) }

  /// The segment that is not complete yet.
  public var openSegment: ListedSegment? { open?.segment }

  /// Says what comes next, before or together with the version that closes its forerunner: players only take a
  /// discontinuity that the closing version announces or that comes in one version with it.
  ///
  /// - Precondition: no segment is open.
  public mutating func expect(_ name: SegmentName, isDiscontinuous: Bool) {
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
  public mutating func append(
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
  public mutating func withdraw() -> [String] {
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
    noteLength()
    let parts = settings.partsPerSegment * settings.listedSegments
    while holds(moreThan: parts - 1), firstSequence < sequenceLimit ?? .max || holds(moreThan: 2 * parts - 1) {
      dropFirstSegment()
    }
  }

  /// Notes of each segment how long a playlist lists it now, before it may go.
  private mutating func noteLength() {
    let length = settings.part * Int64(complete.reduce(0) { $0 + $1.segment.partBytes.count })
    for index in complete.indices { complete[index].longest = max(complete[index].longest, length) }
  }

  /// Whether a segment can go and so many parts are still exceeded.
  private func holds(moreThan parts: Int) -> Bool {
    complete.count > settings.listedSegments
      && complete.dropFirst().reduce(0) { $0 + $1.segment.partBytes.count } > parts
  }

  private mutating func dropFirstSegment() {
    let first = complete.removeFirst()
    removed.add(first.segment, until: played + max(settings.removedSegmentTime, first.longest + settings.segment * 2))
    if first.listsParts { removed.addParts(of: first.segment, until: played + settings.removedPartTime) }
    firstSequence += 1
    if first.segment.isDiscontinuous { discontinuitySequence += 1 }
  }
}

extension LiveWindow {
  /// How far from the end a delta update still lists segments (rfc8216bis, section 4.4.3.8).
  private var skipBoundary: Ticks { settings.segment * 6 }

  /// The playlist less the segments that a player with a recent one has already; `nil` where there are none to leave
  /// out (rfc8216bis, section 6.2.5.1).
  public func delta(of playlist: MediaPlaylist) -> MediaPlaylist? { playlist.delta(skipUntil: skipBoundary) }

  /// The playlist with parts, for the origin.
  public var playlist: MediaPlaylist {
    MediaPlaylist(
      targetDuration: settings.targetDuration,
      mediaSequence: firstSequence,
      discontinuitySequence: discontinuitySequence,
      independentSegments: true,
      serverControl: MediaPlaylist.ServerControl(
        canBlockReload: true, canSkipUntil: skipBoundary, holdBack: settings.segment * 3,
        partHoldBack: settings.part * 3),
      partTarget: settings.part,
      segments: complete.map { listed($0.segment, parts: $0.listsParts ? parts(of: $0.segment) : []) },
      trailingParts: open.map { parts(of: $0.segment) } ?? [],
      trailingDiscontinuity: open?.segment.isDiscontinuous ?? announcesDiscontinuity,
      trailingMap: MediaPlaylist.Map(uri: initName),
      trailingProgramDateTime: open?.segment.date,
      preloadHint: complete.isEmpty && open == nil ? nil : MediaPlaylist.PreloadHint(uri: announcedName),
      dateRanges: dateRanges(of: complete.map(\.segment) + (open.map { [$0.segment] } ?? [])))
  }

  /// The playlist of complete segments only, for players and web servers that know nothing of parts.
  public var plainPlaylist: MediaPlaylist {
    MediaPlaylist(
      targetDuration: settings.targetDuration,
      mediaSequence: firstSequence,
      discontinuitySequence: discontinuitySequence,
      independentSegments: true,
      segments: complete.map { listed($0.segment, parts: []) },
      dateRanges: dateRanges(of: complete.map(\.segment)))
  }

  private func listed(_ segment: ListedSegment, parts: [MediaPlaylist.Part]) -> MediaPlaylist.Segment {
    MediaPlaylist.Segment(
      uri: segment.file, duration: settings.part * Int64(segment.partBytes.count),
      programDateTime: segment.date, discontinuity: segment.isDiscontinuous,
      map: MediaPlaylist.Map(uri: segment.map), parts: parts)
  }

  private func parts(of segment: ListedSegment) -> [MediaPlaylist.Part] {
    segment.partBytes.indices.map { index in
      MediaPlaylist.Part(uri: segment.name.part(index), duration: settings.part, independent: index == 0)
    }
  }

  /// One range for each recorded segment: an id that names a moment is never used twice.
  private func dateRanges(of segments: [ListedSegment]) -> [MediaPlaylist.DateRange] {
    segments.filter(\.isMarkedRecorded).map { segment in
      MediaPlaylist.DateRange(
        id: "recorded-\(segment.date.milliseconds)", startDate: segment.date, classification: "recorded",
        duration: settings.segment)
    }
  }
}
